//! What is installed: the committed manifest, and the chart with every documented value, judged by Kubernetes' own types and
//! by what the program needs and can do.
#![expect(clippy::unwrap_used, reason = "tests")]

mod consistency;
mod files;
mod helm;
mod manifest;
mod monitoring;
mod networks;
mod pods;
mod rights;
mod scope;
mod types;
mod values;
