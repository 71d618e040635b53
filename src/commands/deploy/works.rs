//! Ready is not yet working: one request through the page, the backend and the database.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::context::Ctx;
use crate::dns;
use crate::error::Outcome;
use crate::exchange::names;
use crate::kubernetes::act::command;
use crate::kubernetes::{Cause, Cluster, RequestError};
use crate::text::{brief, one_line};

const PATH: &str = "/api/info";
const PORT: &str = "http";

const PAUSE: Duration = Duration::from_millis(250);
/// A wait that is worth a word.
const LONG: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Info {
    database: DatabaseInfo,
}

#[derive(Deserialize)]
struct DatabaseInfo {
    wallets_table: bool,
}

/// Asks until it answers, and says what comes next.
pub async fn check(ctx: &Ctx, deadline: Instant) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let namespace = cluster.namespace();
    let url = format!("/api/v1/namespaces/{namespace}/services/{}:{PORT}/proxy{PATH}", names::FRONTEND_SERVICE);
    ctx.show(|| command(cluster.place(), &["get", "--raw", &url]));
    let answer = ask(ctx, cluster, deadline).await;
    match answer.map(|text| serde_json::from_str::<Info>(&text)) {
        Ok(Ok(info)) if info.database.wallets_table => {
            ctx.printer.note("the exchange works: page, backend and database answer");
            ctx.printer.note(ctx.own_command("status").to("next"));
            Ok(Outcome::Holds)
        }
        Ok(Ok(_)) => {
            ctx.printer.note("the exchange is running, but its table is missing");
            ctx.printer.note(ctx.own_command("init-db").to("next"));
            Ok(Outcome::Holds)
        }
        Ok(Err(error)) => {
            ctx.printer.error(&format!("unexpected answer from {PATH}: {error}"));
            ctx.printer.hint(ctx.by_hand.kubectl("get pods -o wide").to("check which images run"));
            Ok(Outcome::DoesNotHold)
        }
        Err(RequestError { cause: Cause::Forbidden(_), .. }) => {
            ctx.printer.warning(
                "you may not reach Services through the API server, so it is unknown whether the exchange answers",
            );
            ctx.printer.note(ctx.own_command("status").to("next"));
            Ok(Outcome::Holds)
        }
        Err(error) => {
            ctx.printer
                .error(&format!("everything is ready, but {PATH} does not answer: {}", one_line(&error.to_string())));
            let logs = ctx.by_hand.kubectl(["logs", &format!("deployment/{}", names::BACKEND)]);
            ctx.printer.hint(logs.to("read the backend's log"));
            Ok(Outcome::DoesNotHold)
        }
    }
}

/// Asks until there is an answer that stays, and says why it takes long.
async fn ask(ctx: &Ctx, cluster: &Cluster, deadline: Instant) -> Result<String, RequestError> {
    let begin = Instant::now();
    let deadline = deadline.min(begin + dns::SETTLED);
    let mut told = false;
    loop {
        match cluster.ask_service(names::FRONTEND_SERVICE, PORT, PATH).await {
            Err(error) if is_passing(&error) && Instant::now() < deadline => {
                if !told && begin.elapsed() > LONG {
                    told = true;
                    let why = brief(&error.cause.to_string());
                    ctx.printer.note(format!("everything is ready, but {PATH} does not answer yet: {why}"));
                }
                sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

fn is_passing(error: &RequestError) -> bool {
    error.cause.is_away() || matches!(error.cause, Cause::Garbled(_) | Cause::NotFound(_))
}
