//! An endpoint with a fault that can be put in and taken out while it serves.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::clock::monotonic_now;
use eco_pulse::domain::BypassReason;
use eco_pulse::http::fail_open::{Answer, Answering, Draft};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What goes wrong.
#[derive(Clone, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The decision panics.
    Panic,
    /// The decision panics, and so does the answer that would stand in for it.
    PanicTwice,
    /// What follows the answer panics.
    PanicAfter,
    /// The decision takes this long.
    Late(Duration),
    /// The decision waits until the test lets it go on.
    Gate(Arc<Gate>),
}

/// Where a decision waits for the test.
pub struct Gate {
    entered: UnboundedSender<()>,
    leave: Mutex<Receiver<()>>,
}

/// The test's side of a [`Gate`]. Dropping it lets everybody go on.
pub struct GateKeeper {
    entered: UnboundedReceiver<()>,
    leave: Sender<()>,
}

/// A gate, and who opens it.
pub fn gate() -> (Fault, GateKeeper) {
    let (entered, has_entered) = unbounded_channel();
    let (let_go, leave) = channel();
    let gate = Gate { entered, leave: Mutex::new(leave) };
    (Fault::Gate(Arc::new(gate)), GateKeeper { entered: has_entered, leave: let_go })
}

impl GateKeeper {
    /// Waits until a decision has come to the gate.
    pub async fn entered(&mut self) {
        self.entered.recv().await.unwrap();
    }

    /// Lets one decision go on.
    pub fn let_go(&self) {
        self.leave.send(()).unwrap();
    }
}

/// The switch, and how many decisions were begun.
#[derive(Clone, Default)]
pub struct Faults {
    fault: Arc<Mutex<Fault>>,
    begun: Arc<AtomicUsize>,
}

impl Faults {
    pub fn put_in(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub fn take_out(&self) {
        self.put_in(Fault::None);
    }

    /// Decisions that were begun so far.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn now(&self) -> Fault {
        self.fault.lock().unwrap().clone()
    }

    fn strike(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        match self.now() {
            Fault::None | Fault::PanicAfter => {}
            Fault::Panic | Fault::PanicTwice => fall_over(),
            Fault::Late(time) => {
                let begun = monotonic_now();
                while begun.elapsed() < time {
                    std::hint::spin_loop();
                }
            }
            Fault::Gate(gate) => {
                gate.entered.send(()).unwrap();
                // Nobody there any more: the test is over.
                let _ = gate.leave.lock().unwrap().recv();
            }
        }
    }
}

/// Unwinds as a panic does, without the message that would look like a failed test.
fn fall_over() {
    resume_unwind(Box::new("a fault put in by the test"));
}

/// An endpoint with a fault in it.
pub struct Faulty<A> {
    pub inner: A,
    pub faults: Faults,
}

impl<A: Answering> Answering for Faulty<A> {
    const ENDPOINT: Endpoint = A::ENDPOINT;
    type Error = A::Error;

    fn answer(&self, body: &[u8], now: Timestamp) -> Result<Answer, A::Error> {
        self.faults.strike();
        self.inner.answer(body, now)
    }

    fn open(&self, body: &[u8], reason: BypassReason) -> Result<Answer, A::Error> {
        if matches!(self.faults.now(), Fault::PanicTwice) {
            fall_over();
        }
        self.inner.open(body, reason)
    }

    fn carried_out(&self, draft: &Draft, now: Timestamp) {
        if matches!(self.faults.now(), Fault::PanicAfter) {
            fall_over();
        }
        self.inner.carried_out(draft, now);
    }
}
