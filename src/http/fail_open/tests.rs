//! What the layer does with a body too large to be read on the spot.

use std::fmt;
use std::sync::Mutex;
use std::thread::ThreadId;

use super::*;

/// Cannot decide, and says where it was asked to stand in for itself.
#[derive(Default)]
struct Broken(Arc<Mutex<Vec<ThreadId>>>);

impl Answering for Broken {
    const ENDPOINT: Endpoint = Endpoint::Filter;
    type Error = fmt::Error;

    fn answer(&self, _: &[u8], _: Timestamp) -> Result<Answer, fmt::Error> {
        std::panic::resume_unwind(Box::new("broken"))
    }

    fn open(&self, _: &[u8], _: BypassReason) -> Result<Answer, fmt::Error> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(std::thread::current().id());
        Err(fmt::Error)
    }

    fn carried_out(&self, _: &Draft, _: Timestamp) {}
}

/// Where the stand-in for an answer to a body of so many bytes was made, by a layer with room for `max_concurrent`.
async fn opened_on(bytes: usize, max_concurrent: usize) -> Vec<ThreadId> {
    let (ledger, _writer) = Ledger::start("test".to_owned(), None).unwrap();
    let metrics = Arc::new(Metrics::new().unwrap());
    let shared = Shared::new(max_concurrent, 1 << 24, metrics, ledger, Clock::system(), Mode::Steer);
    let limits = Limits {
        max_body_bytes: 1 << 24,
        deadline: Duration::from_hours(1),
        deadline_from: DeadlineFrom::Body,
    };
    let threads = Arc::new(Mutex::new(Vec::new()));
    let layer = FailOpen::new(Broken(threads.clone()), limits, shared);
    let request = Request::post("/filter").header(CONTENT_TYPE, "application/json");
    let answer = layer.handle(request.body(Body::from(vec![b' '; bytes])).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    threads.lock().unwrap().clone()
}

/// This runtime has one thread, as a small pod's has: whoever works on it keeps every other request waiting.
#[tokio::test]
async fn a_large_body_is_never_read_on_the_runtimes_own_thread() {
    let here = std::thread::current().id();
    for max_concurrent in [0, 1] {
        assert_eq!(opened_on(INLINE_BYTES, max_concurrent).await, [here]);
        let [elsewhere] = opened_on(INLINE_BYTES + 1, max_concurrent).await[..] else {
            panic!("opened once")
        };
        assert_ne!(elsewhere, here);
    }
}
