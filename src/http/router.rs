//! The routes of the webhook listener, and the endpoints that both listeners share.

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};

use super::fail_open::{Answering, FailOpen};
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
pub fn webhook(endpoints: Endpoints) -> Router {
    extender(&endpoints).route("/mutate", answering(endpoints.mutate)).route("/health", get(async || "ok\n"))
}

/// The extender's routes, on both listeners: a scheduler may come over plain HTTP from inside the cluster.
pub(super) fn extender(endpoints: &Endpoints) -> Router {
    Router::new()
        .route("/filter", answering(endpoints.filter.clone()))
        .route("/prioritize", answering(endpoints.prioritize.clone()))
}

fn answering<A: Answering>(endpoint: FailOpen<A>) -> axum::routing::MethodRouter {
    post(move |request: Request| endpoint.clone().handle(request))
}
