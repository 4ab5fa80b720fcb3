//! Watches the pods that carry a decision, for whoever accounts for what they really do.
//!
//! After any trouble it lists them anew: what was missed meanwhile shows as pods that are gone. It keeps nothing.

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::runtime::watcher::{Config, Event, watcher};
use tokio::sync::mpsc;

use super::watch::Retry;
use crate::kubernetes::annotations::DECISION;

/// Pods in one answer: they are whole, and some are large.
const PAGE_SIZE: u32 = 200;

/// What is seen.
#[derive(Debug)]
pub enum PodEvent {
    /// A list begins: what is seen until its end is all there is.
    ListBegins,
    /// A pod that is there.
    There(Box<Pod>),
    /// The list has ended.
    ListEnds,
    /// A pod that is there no more, as it last was.
    Gone(Box<Pod>),
    /// Nothing can be seen, for this reason; a list follows when it can.
    Blind(String),
}

/// Watches for as long as somebody takes the events.
pub async fn watch(client: kube::Client, events: mpsc::Sender<PodEvent>) {
    let mut pauses = Retry::default();
    loop {
        let config = Config::default().labels(DECISION).page_size(PAGE_SIZE);
        let mut pods = watcher(Api::<Pod>::all(client.clone()), config).boxed();
        while let Some(event) = pods.next().await {
            let event = match event {
                Ok(Event::Init) => PodEvent::ListBegins,
                Ok(Event::InitApply(pod) | Event::Apply(pod)) => PodEvent::There(Box::new(pod)),
                Ok(Event::InitDone) => {
                    pauses = Retry::default();
                    PodEvent::ListEnds
                }
                Ok(Event::Delete(pod)) => PodEvent::Gone(Box::new(pod)),
                Err(error) => PodEvent::Blind(error.to_string()),
            };
            let blind = matches!(event, PodEvent::Blind(_));
            if events.send(event).await.is_err() {
                return;
            }
            if blind {
                break;
            }
        }
        tokio::time::sleep(pauses.next().unwrap_or_default()).await;
    }
}
