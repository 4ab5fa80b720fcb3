//! `eco-pulse demo`: the main job on any machine, in one command.
//!
//! Starts the real server, sends it recorded AdmissionReviews through TLS as the API server does, and shows what came
//! back. Each scene says what it will show and then checks the server's answer against it: if the formula says
//! otherwise, the demo fails; it never pretends. Uses no network beyond loopback and leaves nothing behind.

mod client;
pub mod cluster;
pub mod reviews;
mod running;
mod scenes;
mod screen;

use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing::Level;

use self::running::Running;
use self::screen::Screen;
use super::runtime;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::telemetry;

const EXAMPLE: &str = "\
Examples:
  eco-pulse demo
  eco-pulse demo --hold        then change the grid yourself; it prints how
  RUST_LOG=debug eco-pulse demo 2>demo.log";

/// Arguments of `eco-pulse demo`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct DemoArgs {
    /// Keep serving after the last scene, until Ctrl-C
    #[arg(long)]
    hold: bool,
}

impl DemoArgs {
    /// Plays every scene.
    ///
    /// # Errors
    /// A loopback port cannot be had, or the server's answer is not what a scene says it is.
    pub fn run(self, clock: &Clock) -> anyhow::Result<()> {
        // The demo itself is the output: without being asked, no log line goes between.
        let is_asked = std::env::var_os("RUST_LOG").is_some_and(|filter| !filter.is_empty());
        let _log = is_asked.then(|| telemetry::start(Level::WARN));
        runtime()?.block_on(play(self.hold, clock))
    }
}

async fn play(hold: bool, clock: &Clock) -> anyhow::Result<()> {
    let catalogue = Arc::new(Catalogue::built_in()?);
    let config = cluster::config(&catalogue)?;
    let (impatient, deadline) = (cluster::impatient(&config), config.decision.deadline);
    let mut screen = Screen::stdout();

    let mut server = Running::start(config, catalogue.clone(), clock.clone())
        .await
        .context("the server on this machine's loopback address cannot be started")?;
    scenes::opening(&mut screen, &server)?;
    let mut records = scenes::grid_is_there(&mut screen, &mut server).await?;
    let on_short_patience = Running::start(impatient, catalogue, clock.clone()).await?;
    records.extend(scenes::grid_is_gone(&mut screen, on_short_patience).await?);
    scenes::closing(&mut screen, &records, deadline, hold)?;

    if hold {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        scenes::holding(&mut screen, &server)?;
        server
            .hold(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            })
            .await
    } else {
        server.stop().await
    }
}
