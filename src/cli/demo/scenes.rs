//! The scenes. Each says what it will show, sends a recorded pod, checks the server's answer against its words and
//! prints it.

mod around;
mod claims;

use anyhow::Context as _;

use self::claims::{expect, holds, row};
use super::cluster::{BASE, CHEAPEST, FAR, NEAR};
use super::reviews::{MUCH_GB, Review, SOME_GB};
use super::running::Running;
use super::screen::{PatchDetail, Screen};
use crate::cli::show::headline;
use crate::cli::show::record::Record;

pub(super) use self::around::{closing, holding, opening};

const FAIL_OPENS: &str = r#"eco_pulse_fail_open_total{endpoint="mutate",reason="stale_snapshot"}"#;

/// Scenes 1 to 8; gives the records of what was decided.
pub(super) async fn grid_is_there(screen: &mut Screen, server: &mut Running) -> anyhow::Result<Vec<Record>> {
    let mut records = vec![training(screen, server).await?, web(screen, server).await?];
    records.extend(left_alone(screen, server).await?);
    records.push(dirty_grid(screen, server).await?);
    records.push(equation_test(screen, server).await?);
    Ok(records)
}

async fn training(screen: &mut Screen, server: &mut Running) -> anyhow::Result<Record> {
    screen.scene(
        1,
        "A training job with a GPU goes to Canada: cheaper and cleaner",
        &[
            "Batch has no latency limit. Virginia is cheaper still, but dirtier than the",
            "base: unless decision.allowDirtier says otherwise, it never wins.",
        ],
    )?;
    let admission = server.admit(Review::training(SOME_GB)?).await?;
    expect(&admission, "steer", "net_benefit", Some(FAR))?;
    let (far, cheapest) = (row(&admission, FAR)?, row(&admission, CHEAPEST)?);
    let gains = far.terms_usd.is_some_and(|terms| terms.price > 0.0 && terms.carbon > 0.0);
    holds(gains, "Canada is cheaper and cleaner")?;
    holds(cheapest.net_benefit_usd > far.net_benefit_usd, "Virginia is cheaper still")?;
    holds(cheapest.excluded.as_deref() == Some("dirtier"), "Virginia is out, being dirtier")?;
    screen.admission(&admission, PatchDetail::Whole)?;
    Ok(admission.record)
}

async fn web(screen: &mut Screen, server: &mut Running) -> anyhow::Result<Record> {
    screen.scene(
        2,
        "A web Deployment may not go to Canada; it goes to France",
        &[
            "Canada would do more good, but adds more than the 50 ms that a serving pod may",
            "be moved. Of the regions that are near enough, France does the most good.",
        ],
    )?;
    let admission = server.admit(Review::web()?).await?;
    expect(&admission, "steer", "net_benefit", Some(NEAR))?;
    let (near, far) = (row(&admission, NEAR)?, row(&admission, FAR)?);
    holds(far.net_benefit_usd > near.net_benefit_usd, "Canada would do more good")?;
    holds(far.excluded.as_deref() == Some("added_latency"), "Canada is out, being too far")?;
    screen.admission(&admission, PatchDetail::Affinity)?;
    Ok(admission.record)
}

async fn left_alone(screen: &mut Screen, server: &mut Running) -> anyhow::Result<Vec<Record>> {
    screen.heading("3-6  Pods whose place is settled, or that want none of this: left as they came")?;
    let mut records = Vec::new();
    for (number, review, reason) in [
        (3, Review::pinned(BASE)?, "single_region"),
        (4, Review::daemonset()?, "daemonset"),
        (5, Review::database()?, "volume_pinned"),
        (6, Review::opted_out()?, "opted_out"),
    ] {
        let admission = server.admit(review).await?;
        expect(&admission, "bypass", reason, None)?;
        screen.left_alone(number, &admission)?;
        records.push(admission.record);
    }
    Ok(records)
}

async fn dirty_grid(screen: &mut Screen, server: &mut Running) -> anyhow::Result<Record> {
    screen.scene(
        7,
        "Canada's grid turns dirty: the next training pod goes elsewhere",
        &["The same job as in scene 1. Nothing is restarted; only the grid has changed."],
    )?;
    let was = intensity(server, FAR)?;
    put(screen, server, FAR, "high").await?;
    screen.line("")?;
    let admission = server.admit(Review::training(SOME_GB)?).await?;
    expect(&admission, "steer", "net_benefit", Some(NEAR))?;
    holds(row(&admission, FAR)?.excluded.as_deref() == Some("dirtier"), "Canada is out, being dirtier")?;
    screen.admission(&admission, PatchDetail::Affinity)?;
    screen.line("")?;
    put(screen, server, FAR, &was.to_string()).await?;
    Ok(admission.record)
}

async fn equation_test(screen: &mut Screen, server: &mut Running) -> anyhow::Result<Record> {
    screen.scene(
        8,
        "The equation test: with 500 GB to move, the same pod stays with its data",
        &[
            "Canada is as cheap and clean as before, but the data would cost far more. And",
            "the pod is held: it prefers the base, or the scheduler would spread it.",
        ],
    )?;
    let admission = server.admit(Review::training(MUCH_GB)?).await?;
    expect(&admission, "stay", "baseline_best", Some(BASE))?;
    let outweighed = row(&admission, FAR)?.terms_usd.is_some_and(|terms| {
        terms.price > 0.0 && terms.carbon > 0.0 && -terms.egress > terms.price + terms.carbon
    });
    holds(outweighed, "the data would cost more than Canada saves")?;
    screen.admission(&admission, PatchDetail::Affinity)?;
    Ok(admission.record)
}

/// Scene 9, on a server of its own that bears old data for a second only.
pub(super) async fn grid_is_gone(screen: &mut Screen, mut server: Running) -> anyhow::Result<Vec<Record>> {
    screen.scene(
        9,
        "The plug is pulled on the grid: the pod is admitted as it came",
        &[
            "A second server that bears old data for one second (grid.maxAge), to see in a",
            "moment what hours without data do. The same job as in scene 1.",
        ],
    )?;
    server.until_grid_is("fresh").await?;
    let before = server.admit(Review::training(SOME_GB)?).await?;
    expect(&before, "steer", "net_benefit", Some(FAR))?;
    let count_before = server.metric(FAIL_OPENS).await?;
    screen.lines(&[
        format!("plugged in   {}", headline(&before.record)),
        format!("{FAIL_OPENS} {count_before}"),
        String::new(),
    ])?;

    server.unplug_grid();
    server.until_grid_is("stale").await?;
    let after = server.admit(Review::training(SOME_GB)?).await?;
    expect(&after, "bypass", "stale_snapshot", None)?;
    let count_after = server.metric(FAIL_OPENS).await?;
    holds(count_after > count_before, "the fail-open counter has risen")?;
    screen.lines(&[
        format!("unplugged    {}", headline(&after.record)),
        "             allowed: true, no patch. No data, no opinion, no harm.".to_owned(),
        format!("{FAIL_OPENS} {count_after}"),
    ])?;
    server.stop().await?;
    Ok(vec![before.record, after.record])
}

/// Sets a mock value through the admin listener, and shows request and answer.
async fn put(screen: &mut Screen, server: &mut Running, region: &str, value: &str) -> anyhow::Result<()> {
    let answer = server.set_mock(region, value).await?;
    screen.lines(&[format!("PUT /mock/{region} {value}  ->  {answer}")])?;
    Ok(())
}

/// A region's intensity as the server knows it, g/kWh.
fn intensity(server: &Running, region: &str) -> anyhow::Result<f64> {
    let snapshot = server.decider.snapshot().context("the server has no data")?;
    let id = snapshot.regions.by_name(region).with_context(|| format!("{region} is not configured"))?;
    let reading = snapshot.data(id).grid.known().with_context(|| format!("{region} has no reading"))?;
    Ok(reading.intensity.0)
}
