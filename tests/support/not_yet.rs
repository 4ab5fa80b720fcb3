//! Metrics that dashboards, rules and the cookbook are written for, and that the program does not have yet. Whoever adds
//! one takes it off the list: a test fails while one that exists is on it.

/// Their names.
pub const NOT_YET: &[&str] = &[
    "eco_pulse_accountant",
    "eco_pulse_ledger_head_info",
    "eco_pulse_ledger_head_seq",
    "eco_pulse_owner_carbon_avoided_grams",
    "eco_pulse_owner_cost_saved_usd",
    "eco_pulse_placements_total",
    "eco_pulse_runs_open",
    "eco_pulse_waiting_pod_hours",
];
