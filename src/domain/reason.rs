//! Why a decision came out as it did: closed lists, since they are metric labels and audit terms.

use std::fmt;

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Every reason of this kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The reason as it stands in metrics, records and audit annotations.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

reasons!(
    /// Why a pod is not sent away from where it would go by default, although it was scored.
    StayReason {
        /// No other region does more good than the base.
        BaselineBest = "baseline_best",
        /// Another region does, but by less than `decision.minNetBenefitUsd`.
        BelowMinimum = "below_minimum",
        /// The pod's owner belongs to the control group of `decision.holdout`.
        Holdout = "holdout",
        /// Every better region has taken `herd.maxPodsPerMinute` already.
        HerdLimit = "herd_limit",
        /// Another region does more good, but not by `herd.hysteresis` more than where the owner's pods go now.
        Hysteresis = "hysteresis",
    }
);

reasons!(
    /// Why a pod is left exactly as it came.
    BypassReason {
        /// The pod or its namespace carries `eco-pulse.io/inject: disabled`.
        OptedOut = "opted_out",
        /// It belongs to Kubernetes' own namespaces or to Eco-Pulse's.
        SystemNamespace = "system_namespace",
        /// It already has a node.
        Bound = "bound",
        /// It mirrors a static pod; changes to it reach nobody.
        Mirror = "mirror",
        /// A DaemonSet, or a node, places it.
        Daemonset = "daemonset",
        /// Its own selectors, or the nodes there are, leave one region or none.
        SingleRegion = "single_region",
        /// A volume decides where it can run, or will after it first ran.
        VolumePinned = "volume_pinned",
        /// It asks for no CPU, memory or GPU, so nothing can be said of its energy or cost.
        NoRequests = "no_requests",
        /// It asks for more than any machine has, or for less than nothing: it will run nowhere.
        ImpossibleRequests = "impossible_requests",
        /// It asks for a GPU whose model, hence power and price, is not known.
        UnknownGpu = "unknown_gpu",
        /// `mode: off`.
        ModeOff = "mode_off",
        /// What it is allowed (`allowed-regions`, placement policy) leaves nothing to choose, or cannot be read.
        Policy = "policy",
        /// The pod's own preferred terms leave no room below them; or the scheduler asks about a pod whose own preferred
        /// terms or spread constraints name region or zone.
        OwnPreference = "own_preference",
        /// The decision was not ready in time.
        Deadline = "deadline",
        /// More requests at once than `server.maxConcurrent`.
        Overloaded = "overloaded",
        /// A defect in Eco-Pulse ended the decision.
        Panic = "panic",
        /// A defect in Eco-Pulse was noticed during the decision.
        Internal = "internal",
        /// The cluster is watched, and what bears on the pod has not been seen since the start.
        ClusterUnknown = "cluster_unknown",
        /// No grid data has been read since the start.
        NoSnapshot = "no_snapshot",
        /// The base's grid data are older than `grid.maxAge`.
        StaleSnapshot = "stale_snapshot",
        /// Intensity of the base, its price, or another figure the formula needs of it is not known, so no difference can be.
        BaselineUnknown = "baseline_unknown",
        /// The request or its pod could not be decoded.
        Undecodable = "undecodable",
    }
);

impl BypassReason {
    /// Whether something failed, as opposed to a pod that is left alone on purpose.
    #[must_use]
    pub const fn is_fail_open(self) -> bool {
        matches!(
            self,
            Self::Deadline
                | Self::Overloaded
                | Self::Panic
                | Self::Internal
                | Self::ClusterUnknown
                | Self::NoSnapshot
                | Self::StaleSnapshot
                | Self::BaselineUnknown
                | Self::Undecodable
        )
    }
}

/// The `reason` of any outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The one reason to steer: the net benefit says so.
    NetBenefit,
    /// A reason to stay.
    Stay(StayReason),
    /// A reason to leave the pod alone.
    Bypass(BypassReason),
}

impl Reason {
    /// The reason as it stands in metrics, records and audit annotations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NetBenefit => "net_benefit",
            Self::Stay(reason) => reason.as_str(),
            Self::Bypass(reason) => reason.as_str(),
        }
    }
}
