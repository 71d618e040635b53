//! The one wait: until something holds of the exchange, or a deadline. Says meanwhile what it waits for, and why.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::join;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};

use super::exercise;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{self, Depth, Due, Finding, Observed, Weight};
use crate::kubernetes::{Cause, Cluster, Place};
use crate::observe::details::Details;
use crate::observe::live::{self, Change};
use crate::observe::{Snapshot, readiness};
use crate::output::{Line, Role};
use crate::text::Hint;
use crate::text::brief;

/// How a wait ended.
pub enum Waited {
    /// It holds.
    Done,
    /// The deadline has passed; these are the reasons last seen.
    TimedOut(Vec<Finding>),
}

/// How often events are asked for while something is not ready: they are not watched, for a namespace may have many.
const EVENTS: Duration = Duration::from_secs(2);

/// How long after a deadline it may take to find out why it was missed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The pause before something that failed for now is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// Does it, or gives up when the deadline has passed and whoever waited for it has had the time to say why.
pub fn within<T>(deadline: Instant, what: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    let what = Box::pin(what);
    async move { timeout_at(deadline + LAST_WORDS * 2, what).await.ok() }
}

/// What a command with a deadline comes to: with none left, it says how it failed last, or that there was no answer.
///
/// # Errors
/// If it failed otherwise than for want of time.
pub fn in_time(
    ctx: &Ctx,
    what: &str,
    timeout: Duration,
    done: Option<anyhow::Result<Outcome>>,
) -> anyhow::Result<Outcome> {
    match done {
        Some(Err(error)) if error.is::<GaveUp>() => {
            ctx.printer.error(&format!("{what} within {timeout:?}: {error}"));
            ctx.printer.hint(try_later(ctx));
        }
        Some(done) => return done,
        None => say_timed_out(ctx, what, timeout, &[]),
    }
    Ok(Outcome::DoesNotHold)
}

/// What helps against a server that was away for too long.
fn try_later(ctx: &Ctx) -> Hint {
    ctx.by_hand.check_server().and("then run this again")
}

/// Something still failed at the deadline, though only for now.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
struct GaveUp(anyhow::Error);

/// Tries until the deadline, for as long as it fails only for now. What is tried can be repeated.
///
/// # Errors
/// If it fails for good; or, for `in_time`, if it still fails at the deadline.
pub async fn insist<T>(
    ctx: &Ctx,
    deadline: Instant,
    for_now: fn(&anyhow::Error) -> bool,
    attempt: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut told = Told::default();
    loop {
        match attempt().await {
            Err(error) if for_now(&error) => {
                if Instant::now() >= deadline {
                    return Err(GaveUp(error).into());
                }
                let says = format!("{error:#}");
                if told.is_new(&says) {
                    ctx.printer.note(format!("{says}; trying again"));
                }
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// Whether something failed because the server was away, for `insist`.
#[must_use]
pub fn server_away(error: &anyhow::Error) -> bool {
    Cause::of(error).is_some_and(Cause::is_away)
}

/// Whether the server is away, or an object was changed since it was read: by a controller, or by a patch of this run whose
/// answer was lost. For `insist`.
#[must_use]
pub fn is_passing(error: &anyhow::Error) -> bool {
    server_away(error) || matches!(Cause::of(error), Some(Cause::Conflict { managers, .. }) if managers.is_empty())
}

/// Waits until it holds. With `mend`, what is due of the mends that need no question is done meanwhile, once for each object.
///
/// # Errors
/// If the cluster cannot be asked, or what it takes cannot be done.
pub async fn until(ctx: &Ctx, deadline: Instant, holds: fn(&Snapshot) -> bool, mend: bool) -> anyhow::Result<Waited> {
    wait(ctx, deadline, holds, if mend { Meanwhile::Mend } else { Meanwhile::Tell }).await
}

/// Waits until it holds, or says that it did not in time. While an exercise runs, it is said neither what it waits for nor what was
/// last seen: that would tell.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn or_say(
    ctx: &Ctx,
    deadline: Instant,
    holds: fn(&Snapshot) -> bool,
    (what, timeout): (&str, Duration),
    exercise: Option<u8>,
) -> anyhow::Result<Waited> {
    let how = if exercise.is_some() { Meanwhile::Nothing } else { Meanwhile::Tell };
    let waited = wait(ctx, deadline, holds, how).await?;
    if let Waited::TimedOut(last) = &waited {
        match exercise {
            Some(_) if !last.is_empty() => ctx.printer.error(&format!("{what} within {timeout:?}")),
            _ => say_timed_out(ctx, what, timeout, last),
        }
    }
    Ok(waited)
}

/// What is done during a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// It is said what it waits for.
    Tell,
    /// That, and what is due is mended.
    Mend,
}

async fn wait(ctx: &Ctx, deadline: Instant, holds: fn(&Snapshot) -> bool, how: Meanwhile) -> anyhow::Result<Waited> {
    let cluster = ctx.cluster().await?;
    let start = Instant::now();
    let mut told = Told::default();
    let soon = deadline.max(start + LAST_WORDS);
    let Ok(snapshot) = timeout_at(soon, Snapshot::read(cluster)).await else {
        return Ok(Waited::TimedOut(Vec::new()));
    };
    let mut snapshot = snapshot?;
    let mut changes = live::changes(cluster, snapshot.claim_names());
    let mut events = interval(EVENTS);
    events.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if holds(&snapshot) {
            return Ok(Waited::Done);
        }
        if how == Meanwhile::Mend {
            Box::pin(mend_what_is_due(ctx, &snapshot, start.elapsed(), &mut told)).await?;
        }
        let change = timeout_at(deadline, async {
            tokio::select! {
                change = changes.next() => change,
                _ = events.tick() => None,
            }
        });
        match change.await {
            Ok(Some(Change::Lost(why))) => {
                if told.is_new(&why) {
                    ctx.printer.warning(&format!("the watch was interrupted and starts again: {why}"));
                }
            }
            Ok(Some(change)) => snapshot = snapshot.step(change),
            Ok(None) => {
                if how == Meanwhile::Nothing {
                    continue;
                }
                let soon = deadline.min(Instant::now() + EVENTS);
                let findings = judge(&snapshot, &details(&snapshot, cluster, soon).await, cluster.place());
                for line in told.news(&findings, start.elapsed()) {
                    ctx.printer.note(line);
                }
            }
            Err(_) => {
                let details = details(&snapshot, cluster, deadline + LAST_WORDS).await;
                return Ok(Waited::TimedOut(judge(&snapshot, &details, cluster.place())));
            }
        }
    }
}

/// Does what is due, and says so. What passes by itself need not be mended: of that, a failure is only told.
async fn mend_what_is_due(ctx: &Ctx, snapshot: &Snapshot, waited: Duration, told: &mut Told) -> anyhow::Result<()> {
    let Place { namespace, by_hand, .. } = ctx.cluster().await?.place();
    let details = &Details::default();
    let due = findings::due(&Observed { snapshot, details, namespace, by_hand, now: Timestamp::now() }, waited);
    for Due { finding, mend, done, .. } in due.into_iter().filter(|due| told.is_new(&due.uid)) {
        ctx.printer.note(format!("{} {}: {done}", finding.object, finding.says));
        match ctx.perform(&mend).await {
            Ok(_) => {}
            // Another deploy was faster.
            Err(error) if is_gone(&error) => {}
            Err(error) if finding.weight == Weight::NotYet => {
                ctx.printer.warning(&format!("{error:#}; it may pass by itself"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether an object was gone before it could be deleted, or another one had its name.
fn is_gone(error: &anyhow::Error) -> bool {
    matches!(Cause::of(error), Some(Cause::NotFound(_) | Cause::Conflict { .. }))
}

/// What explains a snapshot, as far as it is known by then: an explanation is not worth a deadline.
async fn details(snapshot: &Snapshot, cluster: &Cluster, by: Instant) -> Details {
    timeout_at(by, Details::read(snapshot, cluster, findings::wanted(snapshot, Depth::Wait, findings::ALL)))
        .await
        .unwrap_or_default()
}

/// Whether every workload is ready, for `until`.
#[must_use]
pub fn all_ready(snapshot: &Snapshot) -> bool {
    snapshot.is_ready()
}

/// Whether the pod that takes writes is ready, for `until`.
#[must_use]
pub fn postgres_ready(snapshot: &Snapshot) -> bool {
    snapshot.primary().is_some_and(readiness::pod)
}

/// Says that a wait has run out: what was last seen, and what helps.
pub fn say_timed_out(ctx: &Ctx, what: &str, timeout: Duration, last: &[Finding]) {
    let Some(first) = last.first() else {
        ctx.printer.error(&format!("{what} within {timeout:?}: the server did not answer in time"));
        ctx.printer.hint(try_later(ctx));
        return;
    };
    ctx.printer.error(&format!("{what} within {timeout:?}; last seen:"));
    for finding in last {
        ctx.printer.note(line(finding));
    }
    ctx.printer.hint(&first.hint);
}

/// What is the matter with an app of the exchange, if it can be told soon: its causes, the first of which has the hint. Nothing
/// while an exercise runs: its cause is to be found.
pub async fn reasons(ctx: &Ctx, app: &str) -> anyhow::Result<Vec<Finding>> {
    let cluster = ctx.cluster().await?;
    let (snapshot, exercise) = join!(Snapshot::read(cluster), exercise::untold(ctx, false));
    if exercise?.is_some() {
        return Ok(Vec::new());
    }
    let snapshot = snapshot?;
    let details = details(&snapshot, cluster, Instant::now() + EVENTS).await;
    let mut findings = judge(&snapshot, &details, cluster.place());
    findings.retain(|finding| finding.app == app);
    Ok(findings)
}

/// What keeps it from being ready, or may: not what works, and is only worth knowing.
fn judge(snapshot: &Snapshot, details: &Details, place: &Place) -> Vec<Finding> {
    let Place { namespace, by_hand, .. } = place;
    let mut findings = findings::judge(&Observed { snapshot, details, namespace, by_hand, now: Timestamp::now() });
    findings.retain(|finding| !matches!(finding.weight, Weight::Warning | Weight::Info));
    findings
}

/// A finding on a line of its own, with the code by which it is explained.
#[must_use]
pub fn line(finding: &Finding) -> Line {
    said(Line::default().and(Role::Plain, format!("  {} ", finding.cause.id)), finding)
}

/// What a finding says.
fn said(line: Line, finding: &Finding) -> Line {
    let role = match finding.weight {
        Weight::Problem => Role::Bad,
        Weight::NotYet | Weight::Unknown | Weight::Warning | Weight::Ongoing => Role::Doubtful,
        Weight::Info => Role::Title,
    };
    line.and(role, &finding.object).and(Role::Plain, format!(" {}", brief(&finding.says)))
}

/// What was told already: a line is worth repeating only if it says something new.
#[derive(Default)]
pub struct Told(std::collections::BTreeSet<String>);

impl Told {
    fn is_new(&mut self, text: &str) -> bool {
        self.0.insert(text.to_owned())
    }

    /// The findings that were not told yet, by when. How long something takes is not news, and what may pass needs no code.
    pub fn news(&mut self, findings: &[Finding], elapsed: Duration) -> Vec<Line> {
        let text = |finding: &Finding| {
            let letters: String = finding.says.chars().filter(|character| !character.is_ascii_digit()).collect();
            format!("{} {} {letters}", finding.cause.slug, finding.object)
        };
        // What may not be read is not what is waited for.
        let waited_for = findings.iter().filter(|finding| finding.weight.is_bad());
        let new: Vec<&Finding> = waited_for.filter(|finding| self.is_new(&text(finding))).collect();
        new.into_iter()
            .map(|finding| {
                let line = said(Line::from("  "), finding);
                line.and(Role::Plain, format!(" (after {} s)", elapsed.as_secs()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(says: &str) -> Finding {
        Finding {
            cause: findings::ALL[0],
            weight: Weight::NotYet,
            app: "postgres",
            object: "pod/postgres-0".to_owned(),
            says: says.to_owned(),
            hint: "wait".into(),
        }
    }

    #[test]
    fn only_news_is_told() {
        let mut told = Told::default();
        let mut lines = |says| told.news(&[finding(says)], Duration::from_secs(1)).len();
        assert_eq!(lines("is pulling its image x for 1s"), 1);
        assert_eq!(lines("is pulling its image x for 12s"), 0);
        assert_eq!(lines("runs, but is not ready yet"), 1);
    }
}
