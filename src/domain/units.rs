//! Physical and monetary quantities as types, so that grams never meet dollars by accident.
//!
//! Every type wraps one `f64` in the unit its name says. Arithmetic that keeps the unit (sum, difference, scaling)
//! is derived; a product that changes the unit is a named method on the type it starts from. Nothing here rounds,
//! formats for people, or knows a default: a quantity that is not known is an `Option` around one of these.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $symbol:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            /// The bare number, in the unit the type is named for.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }

            /// The larger of two; a NaN loses.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Self(self.0.max(other.0))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)?;
                f.write_str(concat!(" ", $symbol))
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                all.fold(Self::ZERO, Add::add)
            }
        }
    };
}

unit!(
    /// US dollars.
    Usd, "USD"
);
unit!(
    /// US dollars per hour: the list price of an instance, or of one vCPU.
    UsdPerHour, "USD/h"
);
unit!(
    /// US dollars per metric tonne of CO2 equivalent: what the operator says avoiding a tonne is worth.
    UsdPerTonne, "USD/t"
);
unit!(
    /// US dollars per gigabyte (10^9 bytes) moved between regions.
    UsdPerGb, "USD/GB"
);
unit!(
    /// US dollars per millisecond of added round trip and hour of run.
    UsdPerMsHour, "USD/ms/h"
);
unit!(
    /// Grams of CO2 equivalent per kilowatt-hour of electricity.
    GramsPerKwh, "g/kWh"
);
unit!(
    /// Grams of CO2 equivalent.
    Grams, "g"
);
unit!(
    /// Kilowatt-hours.
    KilowattHours, "kWh"
);
unit!(
    /// Watts.
    Watts, "W"
);
unit!(
    /// Hours.
    Hours, "h"
);
unit!(
    /// Gigabytes (10^9 bytes), the unit in which clouds bill transfer.
    Gigabytes, "GB"
);
unit!(
    /// Gibibytes (2^30 bytes), the unit in which clouds sell memory.
    Gibibytes, "GiB"
);
unit!(
    /// CPU cores as Kubernetes counts them: one core is one vCPU.
    Cores, "cores"
);
unit!(
    /// Milliseconds of network round trip.
    Milliseconds, "ms"
);
unit!(
    /// Power usage effectiveness: energy drawn by the data centre per energy drawn by its IT equipment, at least 1.
    Pue, ""
);

impl UsdPerHour {
    /// What running for `hours` costs.
    #[must_use]
    pub fn over(self, hours: Hours) -> Usd {
        Usd(self.0 * hours.0)
    }
}

impl UsdPerGb {
    /// What moving `data` costs.
    #[must_use]
    pub fn of(self, data: Gigabytes) -> Usd {
        Usd(self.0 * data.0)
    }
}

impl UsdPerTonne {
    /// What `grams` are worth; 10^6 grams to the tonne.
    #[must_use]
    pub fn of(self, grams: Grams) -> Usd {
        Usd(grams.0 / 1e6 * self.0)
    }
}

impl UsdPerMsHour {
    /// What `added` round trip over `hours` is charged.
    #[must_use]
    pub fn of(self, added: Milliseconds, hours: Hours) -> Usd {
        Usd(self.0 * added.0 * hours.0)
    }
}

impl GramsPerKwh {
    /// What using `energy` emits.
    #[must_use]
    pub fn of(self, energy: KilowattHours) -> Grams {
        Grams(self.0 * energy.0)
    }
}

impl Watts {
    /// Energy drawn over `hours` at this power, with the data centre's overhead on top.
    #[must_use]
    pub fn over(self, hours: Hours, pue: Pue) -> KilowattHours {
        KilowattHours(self.0 / 1000.0 * hours.0 * pue.0)
    }
}

impl Gibibytes {
    /// The same memory in gigabytes: 1 GiB is 1.073741824 GB.
    #[must_use]
    pub fn to_gigabytes(self) -> Gigabytes {
        Gigabytes(self.0 * 1.073_741_824)
    }
}
