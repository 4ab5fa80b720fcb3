//! Hours in minutes: one server at half of what it can do, with something broken and mended every few seconds, and a look at whether
//! it grows.

use std::time::Duration;

use eco_pulse::clock::monotonic_now;

use crate::callers::Caller;
use crate::redis::RedisServer;
use crate::scene::{Props, Scene};
use crate::stream::{Stream, Streamed};
use crate::trial::{Budget, Row, Trial};
use crate::upstream::Answer;

const CALLERS: u32 = 8;
/// How long something stays broken, and whole.
const SPELL: Duration = Duration::from_secs(3);
/// Of the samples one in so many is left to the beginning: caches fill, connections open.
const SETTLES: usize = 5;
/// More than this in an hour is growth.
const MOST_KIB_PER_HOUR: f64 = 8.0 * 1024.0;
const MOST_FILES_PER_HOUR: f64 = 10.0;
const MOST_THREADS_PER_HOUR: f64 = 5.0;

/// What was held at a moment.
struct Sample {
    hours: f64,
    resident_kib: f64,
    files: f64,
    threads: f64,
}

/// Runs for so long, and says what came of it. `None`: there is no Redis on this machine.
pub async fn run(length: Duration) -> Option<Row> {
    let redis = RedisServer::start()?;
    let mut scene = Scene::set(Props { redis: Some(redis), ..Props::default() }, true);
    scene.drain_records();
    let address = scene.address();
    let mut trial = Trial::new("soak", "one thing after the other", &address, false);
    trial.begins_well().await;

    let full = streamed(
        &mut trial,
        (0..CALLERS).map(|_| Stream::start(Caller::api_server(&address), Budget::Gone)),
        SPELL,
    )
    .await;
    let per_second = f64::from(u32::try_from(full.sent()).unwrap()) / SPELL.as_secs_f64();
    let pause = Duration::from_secs_f64(f64::from(CALLERS) / (per_second / 2.0));
    println!("  capacity  {per_second:.0} pods/s; now half of that for {} min", length.as_secs() / 60);

    let streams: Vec<Stream> =
        (0..CALLERS).map(|_| Stream::paced(Caller::api_server(&address), Budget::Gone, pause)).collect();
    let (started, mut samples, mut spells) = (monotonic_now(), Vec::new(), 0);
    while started.elapsed() < length {
        breaks(&mut scene, spells, true);
        pass(SPELL).await;
        breaks(&mut scene, spells, false);
        pass(SPELL).await;
        spells += 1;
        samples.push(sample(&scene, started.elapsed()));
        if spells % 20 == 0 {
            let last = &samples[samples.len() - 1];
            println!(
                "  {:>4.1} min  {:>7.0} KiB, {:>3.0} files, {:>3.0} threads, {spells} faults",
                last.hours * 60.0,
                last.resident_kib,
                last.files,
                last.threads
            );
        }
    }
    let mut all = Streamed::default();
    for stream in streams {
        all.add(stream.ends(&mut trial).await);
    }
    for (outcome, took) in &all.took {
        let slowest = took.iter().max().copied().unwrap_or_default();
        println!("  came back {} {}; the slowest in {slowest:.1?}", took.len(), outcome.as_text());
    }
    let settled = &samples[samples.len() / SETTLES..];
    let slopes = [
        ("KiB resident", slope(settled, |sample| sample.resident_kib), MOST_KIB_PER_HOUR),
        ("files", slope(settled, |sample| sample.files), MOST_FILES_PER_HOUR),
        ("threads", slope(settled, |sample| sample.threads), MOST_THREADS_PER_HOUR),
    ];
    for (what, slope, most) in slopes {
        println!("  slope     {slope:+.1} {what} an hour, {most:.0} at most");
        if slope > most {
            trial.complain(format!("{what} grow by {slope:.1} an hour"));
        }
    }
    trial.recovers().await;
    Some(trial.ends())
}

/// Lets streams run for a while.
async fn streamed(trial: &mut Trial, streams: impl Iterator<Item = Stream>, length: Duration) -> Streamed {
    let streams: Vec<Stream> = streams.collect();
    pass(length).await;
    let mut all = Streamed::default();
    for stream in streams {
        all.add(stream.ends(trial).await);
    }
    all
}

/// Lets time pass: this is what a soak is.
async fn pass(length: Duration) {
    tokio::time::sleep(length).await;
}

/// Breaks something, another thing each time, or mends it.
fn breaks(scene: &mut Scene, spell: usize, is_broken: bool) {
    let redis = scene.redis.as_mut().unwrap();
    match (spell % 5, is_broken) {
        (0, true) => redis.pause(),
        (0, false) => redis.resume(),
        (1, true) => redis.kill(),
        (1, false) => redis.restart(),
        (2, true) => {
            scene.grid.upstream.on("/v4/carbon-intensity/latest", |_| Answer::new(500, "oops"));
        }
        (2, false) => scene.grid.upstream.off("/v4/carbon-intensity/latest"),
        (3, true) => tokio::task::block_in_place(|| scene.cluster.stop()),
        (3, false) => scene.cluster.start_again(),
        (_, true) => scene.server.config.change("regions: [{name: "),
        (_, false) => scene.server.config.change(scene.config()),
    }
}

fn sample(scene: &Scene, elapsed: Duration) -> Sample {
    let process = format!("/proc/{}", scene.server.pid());
    let count = |folder: &str| std::fs::read_dir(format!("{process}/{folder}")).unwrap().count() as f64;
    Sample {
        hours: elapsed.as_secs_f64() / 3600.0,
        resident_kib: scene.resident_kib() as f64,
        files: count("fd"),
        threads: count("task"),
    }
}

/// Least squares, an hour.
fn slope(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (mean_hours, mean_value) = (mean(&|sample| sample.hours), mean(&of));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for sample in samples {
        covariance += (sample.hours - mean_hours) * (of(sample) - mean_value);
        variance += (sample.hours - mean_hours).powi(2);
    }
    covariance / variance
}
