//! A stand-in for the Kubernetes API server on loopback: objects that a test puts there, listed in pages and watched, over
//! plain HTTP. What it does not know is 404, as a kind that is not defined is.
#![allow(dead_code, reason = "each test crate uses a part of it")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The stand-in; what it knows outlives its being stopped.
pub struct ApiServer {
    runtime: Option<Runtime>,
    addr: SocketAddr,
    state: Arc<State>,
}

struct State {
    known: Mutex<Known>,
    /// The newest resource version: watches wait on it.
    version: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    /// By path of the collection, then by namespace and name.
    collections: BTreeMap<String, BTreeMap<String, Bytes>>,
    /// Changes in order: version, path of the collection, line of a watch.
    log: Vec<(u64, String, Bytes)>,
    /// Watches from before this version are told that it is gone.
    compacted: u64,
    refused: HashMap<String, StatusCode>,
    lists: usize,
}

impl ApiServer {
    /// Starts, with these empty collections: `/api/v1/nodes`.
    pub fn start(collections: &[&str]) -> Self {
        let known = Known {
            collections: collections.iter().map(|path| ((*path).to_owned(), BTreeMap::new())).collect(),
            ..Known::default()
        };
        let state = State { known: Mutex::new(known), version: watch::channel(1).0 };
        let mut server =
            Self { runtime: None, addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), state: Arc::new(state) };
        server.start_again();
        server
    }

    /// Listens again where it listened.
    pub fn start_again(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = self.state.clone();
        let addr = self.addr;
        self.addr = std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    runtime.block_on(async move {
                        let socket = TcpSocket::new_v4().unwrap();
                        socket.set_reuseaddr(true).unwrap();
                        socket.bind(addr).unwrap();
                        let listener: TcpListener = socket.listen(64).unwrap();
                        let addr = listener.local_addr().unwrap();
                        tokio::spawn(async move {
                            axum::serve(listener, Router::new().fallback(answer).with_state(state)).await
                        });
                        addr
                    })
                })
                .join()
                .unwrap()
        });
        self.runtime = Some(runtime);
    }

    /// Ends all connections, and refuses new ones.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// A client of it.
    pub fn client(&self) -> kube::Client {
        client_of(&self.url())
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Puts an object into a collection, in place of one of the same name.
    pub fn put(&self, collection: &str, object: Value) {
        self.put_all(collection, [object]);
    }

    /// Puts many at once.
    pub fn put_all(&self, collection: &str, objects: impl IntoIterator<Item = Value>) {
        let mut known = self.known();
        let mut version = *self.state.version.borrow();
        for mut object in objects {
            version += 1;
            object["metadata"]["resourceVersion"] = json!(version.to_string());
            let line = |kind: &str| Bytes::from(json!({ "type": kind, "object": object }).to_string() + "\n");
            let objects = known.collections.get_mut(collection).unwrap();
            let before = objects.insert(key(&object), Bytes::from(object.to_string()));
            let line = line(if before.is_some() { "MODIFIED" } else { "ADDED" });
            known.log.push((version, collection.to_owned(), line));
        }
        drop(known);
        self.state.version.send_replace(version);
    }

    /// Takes an object out of a collection.
    pub fn remove(&self, collection: &str, key: &str) {
        let mut known = self.known();
        let object = known.collections.get_mut(collection).unwrap().remove(key).unwrap();
        let version = *self.state.version.borrow() + 1;
        let object: Value = serde_json::from_slice(&object).unwrap();
        let line = json!({ "type": "DELETED", "object": object }).to_string() + "\n";
        known.log.push((version, collection.to_owned(), line.into()));
        drop(known);
        self.state.version.send_replace(version);
    }

    /// Answers everything about a collection with this status from now on.
    pub fn refuse(&self, collection: &str, status: StatusCode) {
        self.known().refused.insert(collection.to_owned(), status);
    }

    /// Forgets changes: whoever watches from before has to list again.
    pub fn compact(&self) {
        let version = *self.state.version.borrow();
        let mut known = self.known();
        known.compacted = version;
        known.log.clear();
    }

    /// How many pages of lists it has answered.
    pub fn lists(&self) -> usize {
        self.known().lists
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.known.lock().unwrap()
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A client of the one there, from whatever process.
pub fn client_of(url: &str) -> kube::Client {
    let url: Uri = url.parse().unwrap();
    kube::Client::try_from(kube::Config::new(url)).unwrap()
}

fn key(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap();
    object["metadata"]["namespace"].as_str().map_or_else(|| name.to_owned(), |ns| format!("{ns}/{name}"))
}

async fn answer(Shared(state): Shared<Arc<State>>, uri: Uri) -> Response {
    let url = reqwest::Url::parse(&format!("http://server{uri}")).unwrap();
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    let path = uri.path().to_owned();
    let known = state.known.lock().unwrap();
    let status = known.refused.get(&path).copied();
    let status = status.or((!known.collections.contains_key(&path)).then_some(StatusCode::NOT_FOUND));
    drop(known);
    match status {
        Some(status) => refusal(status).into_response(),
        None if query.get("watch").is_some_and(|value| value == "true" || value == "1") => {
            let from = query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
            changes(&state, path, from)
        }
        None => list(&state, &path, &query),
    }
}

fn refusal(status: StatusCode) -> impl IntoResponse {
    // One word, as the API server has it: `NotFound`.
    let reason = status.canonical_reason().unwrap_or_default().replace(' ', "");
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status.as_u16(),
        "message": format!("refused with {status}"), "reason": reason,
    });
    (status, axum::Json(body))
}

/// A page of a list. The objects go out as they came in.
fn list(state: &State, path: &str, query: &HashMap<String, String>) -> Response {
    let number = |key: &str| query.get(key).and_then(|text| text.parse::<usize>().ok());
    let (limit, from) = (number("limit").unwrap_or(usize::MAX), number("continue").unwrap_or(0));
    let version = *state.version.borrow();
    let mut known = state.known.lock().unwrap();
    known.lists += 1;
    let objects = &known.collections[path];
    let next = from.saturating_add(limit);
    let continues = if next < objects.len() { next.to_string() } else { String::new() };
    let metadata = json!({ "resourceVersion": version.to_string(), "continue": continues });
    let mut body =
        format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{metadata},"items":["#).into_bytes();
    for (index, object) in objects.values().skip(from).take(limit).enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(object);
    }
    body.extend_from_slice(b"]}");
    ([(http::header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn changes(state: &Arc<State>, path: String, from: u64) -> Response {
    if from < state.known.lock().unwrap().compacted {
        let gone = json!({ "type": "ERROR", "object": {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 410,
            "reason": "Expired", "message": "too old resource version",
        } });
        return gone.to_string().into_response();
    }
    let version = state.version.subscribe();
    let start = (state.clone(), path, version, from);
    let lines = futures_util::stream::unfold(start, async |(state, path, mut version, mut from)| {
        loop {
            let newest = *version.borrow_and_update();
            let lines: Vec<Bytes> = {
                let known = state.known.lock().unwrap();
                let news = known.log.iter().filter(|(at, of, _)| *at > from && *of == path);
                news.map(|(_, _, line)| line.clone()).collect()
            };
            from = from.max(newest);
            if !lines.is_empty() {
                let lines: Bytes = lines.concat().into();
                return Some((Ok::<_, Infallible>(lines), (state, path, version, from)));
            }
            version.changed().await.ok()?;
        }
    });
    ([(http::header::CONTENT_TYPE, "application/json")], Body::from_stream(lines)).into_response()
}
