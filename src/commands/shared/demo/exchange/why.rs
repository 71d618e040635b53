//! What keeps the run waiting, and what helps against a verdict: told to whoever sits in front of it.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::by_name::Asking;
use crate::commands::shared::look::{Scope, look};
use crate::commands::shared::waiting::{self, Told};
use crate::context::Ctx;
use crate::exchange::names;
use crate::findings::{self, Depth, Finding};
use crate::kubernetes::ByHand;
use crate::output::{Line, Role};
use crate::persistence::verdict::{Check, CheckName, Holds, Verdict};
use crate::text::{Hint, one_line};

/// How long nothing is said: a server for which all goes well is there again by then.
const QUIET: Duration = Duration::from_secs(6);

/// How often the cluster is asked for the reasons, which are not watched.
const AGAIN: Duration = Duration::from_secs(2);

/// How long the cluster may take to say the reasons at the end.
const LAST: Duration = Duration::from_secs(5);

/// How long it may take to look for what keeps a name from leading there: DNS is asked too, in a pod.
const LOOK: Duration = Duration::from_secs(15);

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
    let usual = findings::dns::USUAL.as_secs();
    let says = format!(" does not resolve to it yet: DNS servers may cache the old address, usually for {usual} s");
    let last = asking.error().map(|error| format!(" (the last time: {})", one_line(&error))).unwrap_or_default();
    ctx.printer.note(Line::from("  ").and(Role::Doubtful, object).and(Role::Plain, format!("{says}{last}")));
    pending::<()>().await;
}

/// Says what helps against the check that matters most of those that keep the verdict from holding.
pub async fn help(ctx: &Ctx, verdict: &Verdict) -> anyhow::Result<()> {
    let Some((_, check)) = verdict.foremost() else { return Ok(()) };
    match Help::of(check, &ctx.by_hand) {
        Help::Server => last_seen(ctx).await,
        Help::Name => by_name(ctx).await,
        Help::Hint(hint) => ctx.printer.hint(&hint),
        Help::None => {}
    }
    Ok(())
}

/// What helps against a check.
#[derive(Debug, PartialEq)]
enum Help {
    /// The causes that keep the server from being there.
    Server,
    /// The causes that keep the backend from reaching it by its name.
    Name,
    /// These words, where no object shows the cause any more.
    Hint(Hint),
    /// Its evidence says all.
    None,
}

impl Help {
    fn of(check: &Check, by_hand: &ByHand) -> Self {
        match check.name {
            CheckName::CameBack => Self::Server,
            CheckName::AddressByName if check.holds == Holds::Unknown => {
                Self::Hint(by_hand.own("status").to("check whether a backend pod is ready"))
            }
            CheckName::AddressByName => Self::Name,
            CheckName::NewPod | CheckName::SamePod | CheckName::SameOwner | CheckName::NewServer => {
                Self::Hint(by_hand.kubectl("get events --sort-by=.lastTimestamp").to("see who did that"))
            }
            CheckName::SameClaim
            | CheckName::SameVolume
            | CheckName::SameDatabase
            | CheckName::SameDirectory
            | CheckName::Start
            | CheckName::LogGoesOn => Self::Hint(by_hand.own("status -o wide").to("see where the pod stores its data")),
            CheckName::TookOver | CheckName::Follows => {
                Self::Hint(by_hand.own("doctor").to("see what keeps the members apart"))
            }
            CheckName::YourRows | CheckName::MarkedRows if check.holds == Holds::No => Self::Hint(
                "the storage is the same, so someone wrote to the table: run it again while nobody does".into(),
            ),
            CheckName::YourRows
            | CheckName::MarkedRows
            | CheckName::SameName
            | CheckName::OneServer
            | CheckName::RowsUnderLoad
            | CheckName::GapUnderLoad
            | CheckName::Settings
            | CheckName::SameData
            | CheckName::EveryPod
            | CheckName::Contrast
            | CheckName::WithClaim
            | CheckName::HeadlessName
            | CheckName::ClusterIpName
            | CheckName::CreatedInOrder
            | CheckName::DeletedInOrder
            | CheckName::DeletedTogether
            | CheckName::SecondPod
            | CheckName::FirstServer
            | CheckName::TwoClaims
            | CheckName::TwoServers
            | CheckName::RowsLost
            | CheckName::FaultGone
            | CheckName::NothingElse
            | CheckName::SameSet
            | CheckName::PageAnswers
            | CheckName::DoctorSilent => Self::None,
        }
    }
}

/// Says what keeps the backend from reaching the database by its name, as `doctor` finds it now.
async fn by_name(ctx: &Ctx) {
    let causes = findings::of_the_way_to_the_database();
    let scope = Scope { target: None, depth: Depth::Around, causes: &causes };
    let look = timeout(LOOK, Box::pin(look(ctx, scope))).await;
    let found = look.ok().and_then(Result::ok).map(|look| look.findings()).unwrap_or_default();
    let bad: Vec<Finding> = found.into_iter().filter(|finding| finding.weight.is_bad()).collect();
    tell(ctx, &bad, || ctx.own_command("dns-check").to("check the DNS answers"));
}

/// Says what is known of a server that did not come back.
async fn last_seen(ctx: &Ctx) {
    let reasons = timeout(LAST, Box::pin(waiting::reasons(ctx, names::POSTGRES))).await;
    let findings = reasons.ok().and_then(Result::ok).unwrap_or_default();
    tell(ctx, &findings, || ctx.own_command("status --wait").to("wait until it is ready"));
}

/// Says what was found, and what helps against the first of it; or what helps if nothing was.
fn tell(ctx: &Ctx, findings: &[Finding], otherwise: impl FnOnce() -> Hint) {
    for finding in findings {
        ctx.printer.note(waiting::line(finding));
    }
    ctx.printer.hint(findings.first().map_or_else(otherwise, |finding| finding.hint.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_helped_by_causes_where_objects_show_them_and_else_by_words() {
        let by_hand = ByHand::default();
        let help = |name, holds| Help::of(&Check::new(name, holds, "why"), &by_hand);
        assert_eq!(help(CheckName::CameBack, Holds::No), Help::Server);
        assert_eq!(help(CheckName::AddressByName, Holds::No), Help::Name);
        for (name, holds, command) in [
            (CheckName::AddressByName, Holds::Unknown, "kubectl kubecoin status"),
            (CheckName::NewPod, Holds::No, "kubectl get events"),
            (CheckName::LogGoesOn, Holds::No, "status -o wide"),
        ] {
            let Help::Hint(hint) = help(name, holds) else { panic!("{name} has no hint") };
            assert!(hint.to_string().contains(command), "{hint}");
        }
        // Rows that could not be read were written by nobody.
        assert_eq!(help(CheckName::YourRows, Holds::Unknown), Help::None);
        assert!(matches!(help(CheckName::YourRows, Holds::No), Help::Hint(_)));
    }
}
