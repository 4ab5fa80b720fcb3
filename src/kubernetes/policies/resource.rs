//! The custom resources. Their definitions are generated from these types, and the comments on fields are what
//! `kubectl explain` shows.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, CustomResourceExt as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is wanted of the decisions about pods of one namespace. Refines what the configuration and
/// ClusterPlacementPolicies allow, and never widens it.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "eco-pulse.io",
    version = "v1alpha1",
    kind = "PlacementPolicy",
    doc = "What is wanted of the decisions about pods of one namespace. Refines what the configuration and ClusterPlacementPolicies allow, and never widens it.",
    plural = "placementpolicies",
    shortname = "plp",
    category = "eco-pulse",
    namespaced,
    derive = "PartialEq",
    status = "PolicyStatus",
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Pods", type_ = "integer", json_path = ".status.podsMatched"),
    printcolumn(name = "Problem", type_ = "string", json_path = ".status.lastProblem"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new(DISJOINT).message(DISJOINT_MESSAGE)
)]
#[serde(rename_all = "camelCase")]
pub struct PlacementPolicySpec {
    /// The rules.
    #[serde(flatten)]
    pub rules: PlacementRules,
}

/// What is wanted of the decisions about pods of all namespaces, or of those that namespaceSelector selects.
/// PlacementPolicies refine it, and never widen it.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "eco-pulse.io",
    version = "v1alpha1",
    kind = "ClusterPlacementPolicy",
    doc = "What is wanted of the decisions about pods of all namespaces, or of some. PlacementPolicies refine it, and never widen it.",
    plural = "clusterplacementpolicies",
    shortname = "cplp",
    category = "eco-pulse",
    derive = "PartialEq",
    status = "PolicyStatus",
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Pods", type_ = "integer", json_path = ".status.podsMatched"),
    printcolumn(name = "Problem", type_ = "string", json_path = ".status.lastProblem"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new(DISJOINT).message(DISJOINT_MESSAGE)
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPlacementPolicySpec {
    /// Namespaces whose pods the policy is about, by their labels. Absent or empty: all namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// The rules.
    #[serde(flatten)]
    pub rules: PlacementRules,
}

const DISJOINT: &str = "!has(self.spec.allowedRegions) || !has(self.spec.forbiddenRegions) || \
     !self.spec.allowedRegions.exists(region, region in self.spec.forbiddenRegions)";
const DISJOINT_MESSAGE: &str =
    "a region is both in allowedRegions and in forbiddenRegions: take it out of one of them";

/// What both kinds of policy say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlacementRules {
    /// Pods that the policy is about, by their labels. Absent or empty: all pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,
    /// What becomes of decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<super::PolicyMode>,
    /// Longest round trip in milliseconds between the region where a pod's users are and the region it is sent to.
    /// The lowest of all counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 60000.0))]
    pub max_latency_ms: Option<f64>,
    /// A move must save at least so much cash, in USD over the pod's run: price, data transfer and migration, without
    /// what carbon is worth. The highest of all counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub min_savings_usd: Option<f64>,
    /// A move must avoid at least this share, in percent, of what the pod would emit in the base region. The highest
    /// of all counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 100.0))]
    pub min_carbon_reduction_percent: Option<f64>,
    /// The only regions that pods may be sent to, by name or alias. What several policies allow holds together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 63)))]
    pub allowed_regions: Option<Vec<String>>,
    /// Regions that pods are never sent to, by name or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 63)))]
    pub forbidden_regions: Option<Vec<String>>,
    /// What a tonne of CO2e is worth, in USD. Above carbon.maxPriceUsdPerTonne of the configuration, that counts. The
    /// nearest policy's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10000.0))]
    pub carbon_price_usd_per_tonne: Option<f64>,
    /// How long pods run that do not say: 6h, 90m, 7d. The nearest policy's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"), length(max = 32))]
    pub expected_duration: Option<String>,
    /// Data in GB that a pod moves to or from its data region over its run, where it does not say. The nearest
    /// policy's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub egress_gb: Option<f64>,
    /// The region where pods' data are, by name or alias, where they do not say. The nearest policy's counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub data_region: Option<String>,
}

/// What Eco-Pulse says of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStatus {
    /// Pods in the cluster that the policy applies to.
    #[serde(default)]
    pub pods_matched: u64,
    /// What keeps the policy from doing what it says; empty when nothing does.
    #[serde(default)]
    pub last_problem: String,
    /// The generation of the policy that this was found of.
    #[serde(default)]
    pub observed_generation: i64,
}

/// The definitions to install, each with the name of its file.
#[must_use]
pub fn definitions() -> [(String, CustomResourceDefinition); 2] {
    [PlacementPolicy::crd(), ClusterPlacementPolicy::crd()].map(|definition| {
        let name = definition.metadata.name.clone().unwrap_or_default();
        (format!("{name}.yaml"), definition)
    })
}
