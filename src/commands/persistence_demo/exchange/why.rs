//! What keeps the run waiting, and what helps against a verdict: told to whoever sits in front of it.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::by_name::Asking;
use crate::commands::shared::waiting::{self, Told};
use crate::context::Ctx;
use crate::exchange::names;
use crate::output::{Line, Role};
use crate::persistence::verdict::{Check, Holds, Verdict};
use crate::text::one_line;

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
pub async fn no_name_yet(ctx: &Ctx, asking: &Asking) {
    sleep(QUIET).await;
    let object = format!("service/{}", names::POSTGRES_SERVICE);
    let says = " does not resolve to it yet: DNS servers may cache the old address, usually for 30 s";
    let last = asking.error().map(|error| format!(" (the last time: {})", one_line(&error))).unwrap_or_default();
    ctx.printer.note(Line::from("  ").and(Role::Doubtful, object).and(Role::Plain, format!("{says}{last}")));
    pending::<()>().await;
}

/// Says what helps against the check that matters most of those that keep the verdict from holding.
pub async fn help(ctx: &Ctx, verdict: &Verdict) -> anyhow::Result<()> {
    let Some((_, check)) = verdict.foremost() else { return Ok(()) };
    let hint = match check.name.as_str() {
        "came back" => return last_seen(ctx).await,
        "same address by name" => {
            let (what, command) = by_name(check);
            ctx.own_command(command).to(what)
        }
        "new pod" | "same pod" | "same owner" | "new server" => {
            ctx.by_hand.kubectl("get events --sort-by=.lastTimestamp").to("see who did that")
        }
        "same claim" | "same volume" | "same database" | "same directory" | "start" | "log goes on" => {
            ctx.own_command("status -o wide").to("see where the pod stores its data")
        }
        "your rows" | "marked rows" if verdict.holds == Holds::No => {
            "the storage is the same, so someone wrote to the table: run it again while nobody does".into()
        }
        _ => return Ok(()),
    };
    ctx.printer.hint(&hint);
    Ok(())
}

/// What helps where the name was not answered as it should be, and by which command.
fn by_name(check: &Check) -> (&'static str, &'static str) {
    match check.holds {
        // In PostgreSQL's words.
        _ if check.evidence.contains("password authentication failed") => {
            ("sync PostgreSQL's password with the Secret", "rotate-password")
        }
        Holds::Unknown => ("check whether a backend pod is ready", "status"),
        _ => ("check the DNS answers", "dns-check"),
    }
}

/// Says what is known of a server that did not come back.
async fn last_seen(ctx: &Ctx) -> anyhow::Result<()> {
    let reasons = timeout(LAST, Box::pin(waiting::reasons(ctx, names::POSTGRES))).await;
    let findings = reasons.ok().and_then(Result::ok).unwrap_or_default();
    for finding in &findings {
        ctx.printer.note(waiting::line(finding));
    }
    let hint = findings
        .first()
        .map_or_else(|| ctx.own_command("status --wait").to("wait until it is ready"), |finding| finding.hint.clone());
    ctx.printer.hint(&hint);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_answered_is_helped_by_why() {
        for (holds, evidence, command) in [
            (Holds::No, "no query by the name was answered in time", "dns-check"),
            (Holds::No, "in time: FATAL:  password authentication failed for user", "rotate-password"),
            (Holds::Unknown, "container not found", "status"),
        ] {
            let check = Check::new("same address by name", holds, evidence);
            assert_eq!(by_name(&check).1, command, "{evidence}");
        }
    }
}
