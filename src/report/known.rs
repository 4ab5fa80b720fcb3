//! What is known of sums: sums of nothing are no zeros.

use crate::accounts::sums::{Compared, Sums};

/// Figures that may be unknown although a number stands in their place.
pub(super) trait Known {
    /// Pod-hours, those that nothing is known of included.
    fn pod_hours(&self) -> f64;
    /// Emissions here, unless there are only hours that nothing is known of.
    fn known_emissions(&self) -> Option<f64>;
    /// Cost here, unless there are only hours without a price.
    fn known_cost(&self) -> Option<f64>;
    /// Figures against a counterfactual, unless there are hours and none of them could be compared.
    fn known_against(&self, index: usize) -> Option<Compared>;
    /// The same for what is in USD: unless there are hours and none of them has all its prices.
    fn known_cost_against(&self, index: usize) -> Option<Compared>;
    /// What was expected against a counterfactual, unless there are pods and it could be said of none of them.
    fn projected_g(&self, index: usize) -> Option<f64>;
    /// The same in USD: unless there are pods and none of them had all its prices.
    fn projected_usd(&self, index: usize) -> Option<f64>;
}

impl Known for Sums {
    fn pod_hours(&self) -> f64 {
        known_hours(self) + self.missing_hours
    }

    fn known_emissions(&self) -> Option<f64> {
        let nothing = self.missing_hours > 0.0 && known_hours(self) == 0.0;
        (!nothing).then_some(self.actual.emissions_g)
    }

    fn known_cost(&self) -> Option<f64> {
        let nothing = self.pod_hours() > 0.0 && known_hours(self) <= self.actual.unpriced_hours;
        (!nothing).then_some(self.actual.cost_usd)
    }

    fn known_against(&self, index: usize) -> Option<Compared> {
        let compared = self.against.get(index).copied()?;
        let nothing = self.pod_hours() > 0.0 && compared.hours == 0.0;
        (!nothing).then_some(compared)
    }

    fn known_cost_against(&self, index: usize) -> Option<Compared> {
        self.known_against(index).filter(|compared| compared.hours == 0.0 || compared.priced_hours > 0.0)
    }

    fn projected_g(&self, index: usize) -> Option<f64> {
        let projected = self.projected.get(index)?;
        (self.pods == 0 || projected.pods > 0).then_some(projected.avoided_g)
    }

    fn projected_usd(&self, index: usize) -> Option<f64> {
        let projected = self.projected.get(index)?;
        (self.pods == 0 || projected.priced_pods > 0).then_some(projected.saved_usd)
    }
}

fn known_hours(sums: &Sums) -> f64 {
    sums.measured_hours + sums.estimated_hours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_nothing_known_are_no_zeros() {
        let missing = Sums { missing_hours: 3.0, ..Sums::default() };
        assert_eq!((missing.known_emissions(), missing.known_cost()), (None, None));
        assert_eq!(missing.known_against(0), None);
        let mut unpriced = Sums { measured_hours: 3.0, ..Sums::default() };
        unpriced.actual.unpriced_hours = 3.0;
        assert_eq!((unpriced.known_emissions(), unpriced.known_cost()), (Some(0.0), None));
        let mut priceless = Sums { measured_hours: 3.0, pods: 2, ..Sums::default() };
        priceless.against[0].hours = 3.0;
        assert!(priceless.known_against(0).is_some());
        assert_eq!((priceless.known_cost_against(0), priceless.projected_g(0)), (None, None));
        priceless.projected[0].pods = 1;
        assert_eq!((priceless.projected_g(0), priceless.projected_usd(0)), (Some(0.0), None));
        assert_eq!(Sums::default().known_emissions(), Some(0.0), "nothing ran: that is a zero");
        assert!(Sums::default().known_against(2).is_some());
    }
}
