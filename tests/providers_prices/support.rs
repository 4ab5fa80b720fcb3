//! A feed on this machine that answers as a test says and remembers what it was asked, and what providers are asked with.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use eco_pulse::domain::Regions;
use eco_pulse::domain::snapshot::{CapacityType, Price};
use eco_pulse::providers::FetchError;
use eco_pulse::providers::price::{PriceSource, PricesByRegion};
use eco_pulse::providers::web::Web;
use eco_pulse::tls::system_client_config;
use jiff::Timestamp;

/// What the feed says to a request.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: "<html>not today</html>".to_owned() }
    }

    pub fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }
}

type Answers = Box<dyn FnMut(&str) -> Reply + Send>;

/// The feed.
pub struct Feed {
    pub origin: String,
    asked: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Shared {
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answers>>,
}

impl Feed {
    /// Answers each request by its path and query.
    pub async fn answering(answer: impl FnMut(&str) -> Reply + Send + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer: Answers = Box::new(answer);
        let shared = Shared { asked: asked.clone(), answer: Arc::new(Mutex::new(answer)) };
        let router = axum::Router::new().fallback(reply).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, asked }
    }

    /// Answers so, one after the other; the last one again and again.
    pub async fn saying(replies: impl IntoIterator<Item = Reply>) -> Self {
        let mut replies: VecDeque<Reply> = replies.into_iter().collect();
        Self::answering(move |_| {
            if replies.len() > 1 { replies.pop_front().unwrap() } else { replies.front().unwrap().clone() }
        })
        .await
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Paths and queries, in the order they came.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn reply(State(shared): State<Shared>, request: Request) -> Response {
    let target = request.uri().to_string();
    shared.asked.lock().unwrap().push(target.clone());
    let reply = (shared.answer.lock().unwrap())(&target);
    let response = Response::builder().status(reply.status);
    let response =
        reply.headers.iter().fold(response, |response, (name, value)| response.header(*name, value));
    response.body(Body::from(reply.body)).unwrap()
}

pub fn now() -> Timestamp {
    "2026-06-18T12:00:00Z".parse().unwrap()
}

pub fn web() -> Web {
    Web::new(system_client_config().unwrap()).unwrap()
}

pub fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::built_in().unwrap())
}

/// The regions of these names, as the configuration makes them of the catalogue.
pub fn regions(names: &[&str]) -> Arc<Regions> {
    let list: Vec<String> = names.iter().map(|name| format!("{{name: {name}}}")).collect();
    let yaml = format!("baseline: {{region: {}}}\nregions: [{}]", names[0], list.join(", "));
    Config::parse(&yaml, &*catalogue()).unwrap().regions
}

pub async fn ask(source: &dyn PriceSource, names: &[&str]) -> Result<PricesByRegion, FetchError> {
    source.ask(&regions(names), now()).await
}

/// The price of a machine in an answer.
pub fn price<'a>(
    prices: &'a PricesByRegion,
    region: &str,
    instance_type: &str,
    capacity_type: CapacityType,
) -> Option<&'a Price> {
    let mut of_machine = prices[&region.into()]
        .iter()
        .filter(|price| &*price.instance_type == instance_type && price.capacity_type == capacity_type);
    let found = of_machine.next();
    assert!(of_machine.next().is_none(), "{instance_type} has two prices in {region}");
    found
}
