//! Recorded questions, and bodies that come as a test wants them to.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use eco_pulse::audit::entry::Endpoint;
use http::Request;
use http::header::CONTENT_TYPE;
use hyper::body::Frame;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const REVIEW: &[u8] = include_bytes!("../data/kubernetes-1.36/sidecars.admission.json");
const QUESTION: &[u8] = include_bytes!("../data/kubernetes-1.36/sidecars.filter-names.json");

/// More than is decided about on the spot: the work goes to a thread of its own.
const LARGE: usize = 300 * 1024;

/// A recorded body for an endpoint; nothing in it keeps it from being decided about.
pub fn recorded(endpoint: Endpoint) -> Bytes {
    Bytes::from_static(match endpoint {
        Endpoint::Mutate => REVIEW,
        Endpoint::Filter | Endpoint::Prioritize => QUESTION,
    })
}

/// The same, too large to be decided about on the spot.
pub fn large(endpoint: Endpoint) -> Bytes {
    padded(endpoint, LARGE)
}

/// The same, filled up with white space to a size.
pub fn padded(endpoint: Endpoint, size: usize) -> Bytes {
    let mut body = recorded(endpoint).to_vec();
    assert!(body.len() < size);
    body.resize(size, b' ');
    body.into()
}

/// The recorded body as a value to be changed.
pub fn value(endpoint: Endpoint) -> Value {
    serde_json::from_slice(&recorded(endpoint)).unwrap()
}

/// The recorded body with `text` standing where its pod stood.
pub fn with_pod(endpoint: Endpoint, pod: impl AsRef<[u8]>) -> Bytes {
    const MARK: &str = "the pod stands here";
    let mut body = value(endpoint);
    *pod_of(&mut body, endpoint) = MARK.into();
    let body = body.to_string();
    let (before, after) = body.split_once(&format!("\"{MARK}\"")).unwrap();
    [before.as_bytes(), pod.as_ref(), after.as_bytes()].concat().into()
}

/// The pod of a body.
pub fn pod_of(body: &mut Value, endpoint: Endpoint) -> &mut Value {
    match endpoint {
        Endpoint::Mutate => &mut body["request"]["object"],
        Endpoint::Filter | Endpoint::Prioritize => &mut body["Pod"],
    }
}

/// A list in a list in a list ...
pub fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

pub fn path(endpoint: Endpoint) -> String {
    format!("/{}", endpoint.as_str())
}

/// A request as its caller sends it.
pub fn request(endpoint: Endpoint, body: impl Into<Body>) -> Request<Body> {
    request_with(endpoint, "", body)
}

/// The same, with a query.
pub fn request_with(endpoint: Endpoint, query: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(format!("{}{query}", path(endpoint)))
        .header(CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

/// A body that comes piece by piece.
pub struct Dripping {
    pieces: UnboundedReceiver<io::Result<Bytes>>,
    thirsty: Arc<Notify>,
}

/// The sending side of a [`Dripping`] body. Dropping it ends the body.
pub struct Tap {
    pieces: UnboundedSender<io::Result<Bytes>>,
    thirsty: Arc<Notify>,
}

pub fn dripping() -> (Tap, Body) {
    let (sender, pieces) = unbounded_channel();
    let thirsty = Arc::new(Notify::new());
    (Tap { pieces: sender, thirsty: thirsty.clone() }, Body::new(Dripping { pieces, thirsty }))
}

impl Tap {
    pub fn drip(&self, piece: impl Into<Bytes>) {
        self.pieces.send(Ok(piece.into())).unwrap();
    }

    pub fn break_off(&self) {
        self.pieces.send(Err(io::ErrorKind::ConnectionReset.into())).unwrap();
    }

    /// Waits until everything that was sent has been taken, and more is waited for.
    pub async fn taken(&self) {
        self.thirsty.notified().await;
    }
}

impl hyper::body::Body for Dripping {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = self.pieces.poll_recv(context);
        if polled.is_pending() {
            self.thirsty.notify_one();
        }
        polled.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
