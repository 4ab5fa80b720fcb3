//! A provider of somebody else's, stood in for: a real HTTP server on a free loopback port that answers as it is told,
//! well or badly, and remembers what it was asked.
//!
//! It runs on a thread of its own, so that tests with and without a runtime, and on a paused clock, can use it.
#![allow(dead_code, reason = "each of the test crates that include this uses a part of it")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longer than anything that is waited for takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
}

impl Request {
    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// How it answers.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    manner: Manner,
    after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// With all of the body, of a length said before.
    Whole,
    /// With all of the body, of a length not said before.
    Unmeasured,
    /// With half of the body, and then an end.
    CutOff,
    /// With half of the body, and then nothing more, without an end.
    Stalled,
    /// Not at all.
    Never,
}

impl Answer {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
            manner: Manner::Whole,
            after: Duration::ZERO,
        }
    }

    /// 200 and JSON.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(200, body).header("content-type", "application/json")
    }

    /// A redirect.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::new(status, "").header("location", to)
    }

    /// Nothing, for as long as the client waits.
    pub fn never() -> Self {
        Self { manner: Manner::Never, ..Self::new(200, "") }
    }

    /// With one more header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        self
    }

    /// Without a length.
    pub fn unmeasured(self) -> Self {
        Self { manner: Manner::Unmeasured, ..self }
    }

    /// Broken off within the body.
    pub fn cut_off(self) -> Self {
        Self { manner: Manner::CutOff, ..self }
    }

    /// With no end of the body.
    pub fn stalled(self) -> Self {
        Self { manner: Manner::Stalled, ..self }
    }

    /// After a while.
    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(Default)]
struct State {
    scripts: BTreeMap<String, Script>,
    requests: Vec<Request>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    asked: Condvar,
}

/// The stand-in; it ends when it is dropped.
pub struct Upstream {
    addr: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Over plain HTTP. What is not scripted is answered 404.
    pub fn start() -> Self {
        Self::run(None)
    }

    /// Over TLS.
    pub fn start_tls(config: Arc<rustls::ServerConfig>) -> Self {
        Self::run(Some(config.into()))
    }

    fn run(tls: Option<TlsAcceptor>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let addr = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (shared, stop) = (Arc::<Shared>::default(), CancellationToken::new());
        let (for_thread, until) = (Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // What is still in progress then ends with the runtime.
            runtime.block_on(until.run_until_cancelled(accept(listener, tls, for_thread)));
        });
        Self { addr, scheme, shared, stop, thread: Some(thread) }
    }

    /// Answers so at this path, from now on; a path that ends in `*` stands for all that begin so, and the longest
    /// such counts.
    pub fn on(&self, path: &str, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> &Self {
        self.shared.state.lock().unwrap().scripts.insert(path.to_owned(), Arc::new(answer));
        self
    }

    /// Answers at this path as if nothing had been scripted there.
    pub fn off(&self, path: &str) {
        self.shared.state.lock().unwrap().scripts.remove(path);
    }

    /// Where it is, with a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.addr)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// All it was asked so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    /// Forgets what it was asked.
    pub fn forget(&self) {
        self.shared.state.lock().unwrap().requests.clear();
    }

    /// Blocks until it was asked so often, and gives all it was asked.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let state = self.shared.state.lock().unwrap();
        let (state, waited) = self
            .shared
            .asked
            .wait_timeout_while(state, PATIENCE, |state| state.requests.len() < count)
            .unwrap();
        assert!(!waited.timed_out(), "asked {} times only, not {count} times", state.requests.len());
        state.requests.clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok()) || std::thread::panicking(), "the stand-in panicked");
    }
}

async fn accept(listener: std::net::TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(handshake(stream, tls.clone(), Arc::clone(&shared)));
    }
}

async fn handshake(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    match tls {
        None => serve(stream, shared).await,
        // A client that does not trust this server ends the handshake, as it should.
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, shared).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(respond(&request, &shared).await) }
    });
    // An answer that is cut off ends in an error here, as it was meant to.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: &http::Request<Incoming>, shared: &Shared) -> Response<Said> {
    let url = Url::parse(&format!("http://upstream{}", request.uri())).unwrap();
    let request = Request {
        method: request.method().clone(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: request.headers().clone(),
    };
    let script = {
        let mut state = shared.state.lock().unwrap();
        state.requests.push(request.clone());
        shared.asked.notify_all();
        script(&state.scripts, &request.path)
    };
    let nothing = || Answer::new(404, format!("nothing is scripted at {}", request.path));
    let answer = script.map_or_else(nothing, |script| script(&request));
    if answer.manner == Manner::Never {
        std::future::pending::<()>().await;
    }
    if !answer.after.is_zero() {
        tokio::time::sleep(answer.after).await;
    }
    let mut response = Response::new(Said::of(&answer));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if answer.manner != Manner::Unmeasured {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, answer.body.len().into());
    }
    response
}

fn script(scripts: &BTreeMap<String, Script>, path: &str) -> Option<Script> {
    let matches = |pattern: &str| pattern.strip_suffix('*').is_some_and(|start| path.starts_with(start));
    let by_pattern = || {
        scripts
            .iter()
            .filter(|(pattern, _)| matches(pattern))
            .max_by_key(|(pattern, _)| pattern.len())
            .map(|(_, script)| script)
    };
    scripts.get(path).or_else(by_pattern).cloned()
}

/// A body that comes to an end, or does not.
struct Said {
    left: Option<Bytes>,
    then: Manner,
    is_flushed: bool,
}

impl Said {
    fn of(answer: &Answer) -> Self {
        let bytes = match answer.manner {
            Manner::CutOff | Manner::Stalled => answer.body.slice(..answer.body.len() / 2),
            Manner::Whole | Manner::Unmeasured | Manner::Never => answer.body.clone(),
        };
        Self { left: Some(bytes).filter(|bytes| !bytes.is_empty()), then: answer.manner, is_flushed: false }
    }
}

impl Body for Said {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match (self.left.take(), self.then) {
            (Some(bytes), _) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            // While it waits once, what was said so far goes out; with the error, it would be thrown away.
            (None, Manner::CutOff) if !self.is_flushed => {
                self.is_flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            (None, Manner::CutOff) => Poll::Ready(Some(Err(std::io::Error::other("cut off, as scripted")))),
            (None, Manner::Stalled) => Poll::Pending,
            (None, _) => Poll::Ready(None),
        }
    }
}
