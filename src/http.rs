//! HTTP: the listeners, their routes, and the one layer that turns every failure into "as if nobody were here".

pub mod admin;
mod body;
pub mod fail_open;
pub mod live;
pub mod report;
pub mod router;
pub mod server;
pub mod snapshot_view;
