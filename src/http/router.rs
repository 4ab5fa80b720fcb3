//! The routes of the webhook listener, and the endpoints that both listeners share.

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};

use super::fail_open::{Answering, FailOpen};
use super::live::LiveView;
use crate::extender::filter::Filter;
use crate::extender::prioritize::Prioritize;
use crate::webhook::mutate::Mutate;

/// The endpoints that answer for pods.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// For the API server.
    pub mutate: FailOpen<Mutate>,
    /// For the scheduler.
    pub filter: FailOpen<Filter>,
    /// For the scheduler.
    pub prioritize: FailOpen<Prioritize>,
}

/// The TLS listener's routes.
pub fn webhook(live: &LiveView) -> Router {
    extender(live)
        .route("/mutate", answering(live, |endpoints| &endpoints.mutate))
        .route("/health", get(async || "ok\n"))
}

/// The extender's routes, on both listeners: a scheduler may come over plain HTTP from inside the cluster.
pub(super) fn extender(live: &LiveView) -> Router {
    Router::new()
        .route("/filter", answering(live, |endpoints| &endpoints.filter))
        .route("/prioritize", answering(live, |endpoints| &endpoints.prioritize))
}

fn answering<A: Answering>(
    live: &LiveView,
    of: impl Fn(&Endpoints) -> &FailOpen<A> + Clone + Send + Sync + 'static,
) -> axum::routing::MethodRouter {
    let live = live.clone();
    post(move |request: Request| of(&live.load().endpoints).clone().handle(request))
}
