//! One fault tried out: pods keep coming before, while and after something is broken, and what becomes of each is judged.

use std::collections::BTreeMap;
use std::time::Duration;

use eco_pulse::clock::monotonic_now;
use serde_json::Value;

use crate::callers::{API_SERVER_PATIENCE, Address, Called, Caller, Failure, SCHEDULER_PATIENCE};
use crate::client::Client;
use crate::judge::{self, ALL_NODES, NO_SCORES, Outcome};
use crate::pods::Questions;
use crate::prometheus_text::Scrape;

/// The hard deadline of every decision.
const DEADLINE: Duration = Duration::from_millis(190);
/// A caller's timer and ours are not read at the same moment.
const TIMERS: Duration = Duration::from_millis(50);
/// What is not mended by itself by then is not mended.
const RECOVERY: Duration = Duration::from_secs(20);
pub const ENDPOINTS: [&str; 3] = ["mutate", "filter", "prioritize"];

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// The server answers: within the deadline.
    Answers,
    /// It is gone, or hangs: no longer than its caller waits.
    Gone,
}

impl Budget {
    pub fn of(self, endpoint: usize) -> Duration {
        match (self, endpoint) {
            (Self::Answers, _) => DEADLINE,
            (Self::Gone, 0) => API_SERVER_PATIENCE + TIMERS,
            (Self::Gone, _) => SCHEDULER_PATIENCE + TIMERS,
        }
    }
}

/// What may come of a call while something is broken.
#[derive(Clone, Copy, Debug)]
pub enum Expect {
    /// Decisions, as if nothing were broken.
    Decided,
    /// Answers that change nothing, for one of these reasons.
    Opened(&'static [&'static str]),
    /// Nothing that its caller can use.
    NoAnswer,
    /// A decision, or an answer that changes nothing for one of these reasons.
    DecidedOrOpened(&'static [&'static str]),
    /// A decision, or nothing.
    DecidedOrNoAnswer,
}

impl Expect {
    fn allows(self, outcome: &Outcome) -> bool {
        let opens_for = |reasons: &[&str]| match outcome {
            Outcome::Opened(told) => {
                reasons.contains(&told.as_str()) || [ALL_NODES, NO_SCORES].contains(&told.as_str())
            }
            _ => false,
        };
        let is_decided = matches!(outcome, Outcome::Decided);
        let is_ignored = matches!(outcome, Outcome::Ignored(_));
        match self {
            Self::Decided => is_decided,
            Self::Opened(reasons) => opens_for(reasons),
            Self::NoAnswer => is_ignored,
            Self::DecidedOrOpened(reasons) => is_decided || opens_for(reasons),
            Self::DecidedOrNoAnswer => is_decided || is_ignored,
        }
    }
}

/// What became of the calls to one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub outcomes: BTreeMap<Outcome, usize>,
    pub slowest: Duration,
    pub over_budget: usize,
}

impl Cell {
    pub fn sent(&self) -> usize {
        self.outcomes.values().sum()
    }
}

/// How a trial ended.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub broken: &'static str,
    pub cells: [Cell; 3],
    /// Fail-opens by endpoint and reason: before and after.
    pub counted: Vec<(String, f64, f64)>,
    pub recovered_after: Option<Duration>,
    /// What was not as it has to be.
    pub problems: Vec<String>,
}

/// A fault that is being tried out.
pub struct Trial {
    row: Row,
    address: Address,
    api_server: Caller,
    scheduler: Caller,
    questions: Questions,
    before: Option<Counters>,
    /// Whether time budgets are judged.
    pub timed: bool,
}

type Counters = BTreeMap<String, f64>;

impl Trial {
    pub fn new(name: &'static str, broken: &'static str, address: &Address, timed: bool) -> Self {
        let row = Row {
            name,
            broken,
            cells: Default::default(),
            counted: Vec::new(),
            recovered_after: None,
            problems: Vec::new(),
        };
        Self {
            row,
            address: address.clone(),
            api_server: Caller::api_server(address),
            scheduler: Caller::scheduler(address),
            questions: Questions::default(),
            before: None,
            timed,
        }
    }

    /// Before anything is broken: waits until pods are decided about, and notes what is counted by then.
    pub async fn begins_well(&mut self) {
        self.becomes(&Expect::Decided).await;
        self.notes_counters().await;
    }

    /// Notes what is counted so far.
    pub async fn notes_counters(&mut self) {
        self.before = Some(self.counters().await);
    }

    /// Pods that come while something is broken.
    pub async fn pods(&mut self, count: usize, expect: Expect, budget: Budget) {
        self.pods_each(count, [expect; 3], budget).await;
    }

    /// The same, where endpoints fare differently.
    pub async fn pods_each(&mut self, count: usize, expect: [Expect; 3], budget: Budget) {
        for _ in 0..count {
            self.pod(expect, budget).await;
        }
    }

    /// One pod is created and scheduled.
    async fn pod(&mut self, expect: [Expect; 3], budget: Budget) {
        for (endpoint, (outcome, took)) in self.round().await.into_iter().enumerate() {
            let expect = expect[endpoint];
            let cell = &mut self.row.cells[endpoint];
            cell.slowest = cell.slowest.max(took);
            let within = budget.of(endpoint);
            if self.timed && took > within {
                cell.over_budget += 1;
                self.row.problems.push(format!("{}: {took:.0?}, over {within:?}", ENDPOINTS[endpoint]));
            }
            // A machine that is busy with something else may hold up a decision; then it is opened in time, as it has to be. A build for
            // tests may take all the time that its caller has.
            let is_late = match &outcome {
                Outcome::Opened(reason) => self.timed && reason == "deadline",
                Outcome::Ignored(cause) => !self.timed && cause == Failure::TimedOut.as_str(),
                _ => false,
            };
            if outcome.is_harm() || !expect.allows(&outcome) && !is_late {
                self.row.problems.push(format!("{}: {}", ENDPOINTS[endpoint], outcome.as_text()));
            }
            *cell.outcomes.entry(outcome).or_default() += 1;
        }
    }

    /// Pods come until they are decided about as before, and how long that took is noted.
    pub async fn recovers(&mut self) {
        let started = monotonic_now();
        if self.becomes(&Expect::Decided).await {
            self.row.recovered_after = Some(started.elapsed());
        }
    }

    /// Pods come until what becomes of them is this; none of them may be the worse for it.
    pub async fn becomes(&mut self, expect: &Expect) -> bool {
        let mut last = Vec::new();
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        let wait = async {
            loop {
                looks.tick().await;
                last = self.round().await.into_iter().map(|(outcome, _)| outcome).collect();
                if last.iter().any(Outcome::is_harm) || last.iter().all(|outcome| expect.allows(outcome)) {
                    return;
                }
            }
        };
        let in_time = tokio::time::timeout(RECOVERY, wait).await.is_ok();
        let is_so = in_time && last.iter().all(|outcome| expect.allows(outcome));
        if !is_so {
            let last: Vec<String> = last.iter().map(Outcome::as_text).collect();
            self.row.problems.push(format!("not {expect:?} but {}", last.join(", ")));
        }
        is_so
    }

    /// The same pods for a server at another address, as after it was started again.
    pub fn moves_to(&mut self, address: &Address) {
        self.address = address.clone();
        self.api_server = Caller::api_server(address);
        self.scheduler = Caller::scheduler(address);
        self.before = None;
    }

    /// Notes something that is not as it has to be.
    pub fn complain(&mut self, problem: impl Into<String>) {
        self.row.problems.push(problem.into());
    }

    /// Waits until the server has noticed: until a metric is so.
    pub async fn notices(
        &mut self,
        metric: &str,
        labels: &[(&str, &str)],
        is_so: impl Fn(Option<f64>) -> bool,
    ) {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let wait = async {
            while !is_so(self.scrape().await.find(metric, labels)) {
                looks.tick().await;
            }
        };
        if tokio::time::timeout(RECOVERY, wait).await.is_err() {
            let shown = self.scrape().await;
            let shown = shown.0.get(metric).map(|family| &family.samples);
            self.complain(format!("{metric}{labels:?} does not show it, but {shown:?}"));
        }
    }

    /// The API server's next call opens a connection.
    pub fn reconnects(&mut self) {
        self.api_server = Caller::api_server(&self.address);
    }

    /// All that is counted of what was opened or refused: each under its reason.
    pub async fn compares_counters(&mut self) {
        let Some(before) = self.before.take() else { return };
        let after = self.counters().await;
        for (index, endpoint) in ENDPOINTS.iter().enumerate() {
            let counted: f64 = (after.iter())
                .filter(|(series, _)| series.starts_with(endpoint))
                .map(|(series, value)| value - before.get(series).copied().unwrap_or_default())
                .sum();
            let told = self.row.cells[index].outcomes.iter();
            let told: usize =
                told.filter(|(outcome, _)| is_told_by_server(outcome)).map(|(_, count)| count).sum();
            if counted < told as f64 {
                self.complain(format!("{endpoint}: {told} opened, {counted} counted"));
            }
            for (outcome, count) in &self.row.cells[index].outcomes.clone() {
                let Outcome::Opened(reason) = outcome else { continue };
                let series = format!("{endpoint} {reason}");
                let counted = after.get(&series).copied().unwrap_or_default();
                if index == 0 && counted < *count as f64 {
                    self.complain(format!("{series}: {count} opened, {counted} counted"));
                }
            }
        }
        self.row.counted = (after.iter())
            .map(|(series, after)| (series.clone(), before.get(series).copied().unwrap_or_default(), *after))
            .collect();
    }

    pub fn ends(self) -> Row {
        self.row
    }

    async fn round(&mut self) -> Vec<(Outcome, Duration)> {
        let review = self.questions.review();
        let created = self.api_server.post("/mutate?timeout=1s", review.to_string().into()).await;
        let question = self.questions.question().clone();
        let asked = question.to_string();
        let filtered = self.scheduler.post("/filter", asked.clone().into()).await;
        let scored = self.scheduler.post("/prioritize", asked.into()).await;
        let judged = |judge: fn(&Value, &Called) -> Outcome, asked: &Value, called: &Called| {
            (judge(asked, called), called.took)
        };
        vec![
            judged(judge::mutate, &review, &created),
            judged(judge::filter, &question, &filtered),
            judged(judge::prioritize, &question, &scored),
        ]
    }

    async fn scrape(&self) -> Scrape {
        Scrape::parse(Client::plain(self.address.admin).await.get("/metrics").await.text())
    }

    /// `eco_pulse_fail_open_total` by endpoint and reason.
    async fn counters(&self) -> Counters {
        let scrape = self.scrape().await;
        let family = scrape.0.get("eco_pulse_fail_open_total");
        let samples = family.iter().flat_map(|family| &family.samples);
        samples
            .map(|sample| {
                (format!("{} {}", sample.labels["endpoint"], sample.labels["reason"]), sample.value)
            })
            .collect()
    }
}

/// Whether the server knows that it did nothing for the pod.
fn is_told_by_server(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Opened(_) => true,
        Outcome::Ignored(cause) => cause.starts_with("status"),
        _ => false,
    }
}
