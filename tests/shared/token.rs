//! A provider's token that is changed while a process runs.

use crate::callers::Callers;
use crate::grid::{Grid, Hands, REGIONS, TOKEN, VALUES};
use crate::replicas::EASY;
use crate::server::Server;
use crate::waiting::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_refused_is_replaced_without_a_restart() {
    let grid = Grid::start(VALUES, &Hands::default());
    grid.write_token("withdrawn-secret");
    let config = format!("{REGIONS}{}{EASY}", grid.section("300ms"));
    let (server, _records) = Server::start_with_records(&config).await;
    let mut callers = Callers::of(&server.address()).await;
    callers.bypass("baseline_unknown").await;
    grid.write_token(TOKEN);
    // Each zone is asked about again in its own time.
    until("pods go to the best region", async || {
        callers.answer().await["response"]["auditAnnotations"]["target-region"] == "eu-north-1"
    })
    .await;
}
