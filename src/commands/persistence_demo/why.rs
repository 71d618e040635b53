//! What keeps the run waiting, and what helps against a verdict: told to whoever sits in front of it.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::commands::waiting::{self, Told};
use crate::context::Ctx;
use crate::exchange::names;
use crate::output::{Line, Role};
use crate::persistence::verdict::{Holds, Verdict};

/// How long nothing is said: a server for which all goes well is there again by then.
const QUIET: Duration = Duration::from_secs(6);

/// How often the cluster is asked for the reasons, which are not watched.
const AGAIN: Duration = Duration::from_secs(2);

/// How long the cluster may take to say the reasons at the end.
const LAST: Duration = Duration::from_secs(5);

/// Says why the server is not there yet, each reason once. Never ends.
pub async fn no_server_yet(ctx: &Ctx) {
    let start = Instant::now();
    let mut told = Told::default();
    sleep(QUIET).await;
    loop {
        // That the cluster does not answer is told by the watch.
        if let Ok(findings) = Box::pin(waiting::reasons(ctx, names::POSTGRES)).await {
            for line in told.news(&findings, start.elapsed()) {
                ctx.printer.note(line);
            }
        }
        sleep(AGAIN).await;
    }
}

/// Says why the name may not lead to the server yet. Never ends.
pub async fn no_name_yet(ctx: &Ctx) {
    sleep(QUIET).await;
    let object = format!("service/{}", names::POSTGRES_SERVICE);
    let says = " does not lead to it yet: a DNS server may keep the old address, 30 s usually";
    ctx.printer.note(Line::from("  ").and(Role::Doubtful, object).and(Role::Plain, says));
    pending::<()>().await;
}

/// Says what helps against the first check that keeps the verdict from holding.
pub async fn help(ctx: &Ctx, verdict: &Verdict) -> anyhow::Result<()> {
    let Some(check) = verdict.against().first().copied() else { return Ok(()) };
    let hint = match check.name.as_str() {
        "came back" => return last_seen(ctx).await,
        "same address by name" => format!("see what DNS answers: {}", ctx.own_command("dns-check")),
        "new pod" | "same pod" | "same owner" | "new server" => {
            format!("see who did that: {}", ctx.by_hand.kubectl("get events --sort-by=.lastTimestamp"))
        }
        "same claim" | "same volume" | "same database" | "same directory" | "start" | "log goes on" => {
            format!("see what the pod stores its data on: {}", ctx.own_command("status -o wide"))
        }
        "your rows" | "marked rows" if verdict.holds == Holds::No => {
            "the storage is the same, so somebody wrote to the table: run it again while nobody does".to_owned()
        }
        _ => return Ok(()),
    };
    ctx.printer.hint(&hint);
    Ok(())
}

/// Says what is known of a server that did not come back.
async fn last_seen(ctx: &Ctx) -> anyhow::Result<()> {
    let reasons = timeout(LAST, Box::pin(waiting::reasons(ctx, names::POSTGRES))).await;
    let findings = reasons.ok().and_then(Result::ok).unwrap_or_default();
    for finding in &findings {
        ctx.printer.note(waiting::line(finding));
    }
    let hint = findings.first().map_or_else(|| ctx.own_command("status --wait"), |finding| finding.hint.clone());
    ctx.printer.hint(&hint);
    Ok(())
}
