//! Ready is not yet working: one request through the page, the backend and the database.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::commands::shared::look::look;
use crate::commands::shared::waiting;
use crate::context::Ctx;
use crate::dns;
use crate::error::Outcome;
use crate::exchange::names;
use crate::findings::Depth;
use crate::kubernetes::Cluster;
use crate::kubernetes::act::command;
use crate::observe::path::{self, Connection, Path, Way};
use crate::observe::{Reading, Reason, Snapshot};
use crate::text::{Hint, brief};

const PAUSE: Duration = Duration::from_millis(250);
/// A wait that is worth a word.
const LONG: Duration = Duration::from_secs(3);

/// How long it may take to find out why nothing answers.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// Asks until it answers, and says what comes next.
pub async fn check(ctx: &Ctx, deadline: Instant) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let says = match ask(ctx, cluster, deadline).await {
        Reading::Present(Path::Answered(Connection { database, .. })) if database.wallets_table => {
            ctx.printer.note("the exchange works: page, backend and database answer");
            ctx.printer.note(ctx.own_command("status").to("next"));
            return Ok(Outcome::Holds);
        }
        Reading::Present(Path::Answered(_)) => {
            ctx.printer.note("the exchange is running, but its table is missing");
            ctx.printer.note(ctx.own_command("init-db").to("next"));
            return Ok(Outcome::Holds);
        }
        Reading::Unknown(Reason::Forbidden(_)) => {
            ctx.printer.warning(
                "you may not reach Services through the API server, so it is unknown whether the exchange answers",
            );
            ctx.printer.note(ctx.own_command("status").to("next"));
            return Ok(Outcome::Holds);
        }
        answer => words(&answer),
    };
    ctx.printer.error(&format!("everything is ready, but {says}"));
    ctx.printer.hint(why(ctx).await.unwrap_or_else(|| ctx.own_command("status").to("see what is wrong")));
    Ok(Outcome::DoesNotHold)
}

/// Says what is wrong, as far as it can be found out soon. Gives what helps.
async fn why(ctx: &Ctx) -> Option<Hint> {
    let look = timeout(LAST_LOOK, Box::pin(look(ctx, Depth::All.into()))).await.ok()?.ok()?;
    let findings = look.findings();
    for finding in &findings {
        ctx.printer.note(waiting::line(finding));
    }
    findings.into_iter().next().map(|finding| finding.hint)
}

/// What an answer that is none comes to.
fn words(answer: &Reading<Path>) -> String {
    match answer {
        Reading::Present(Path::NoDatabase { reason, .. }) => {
            format!("the backend cannot connect to the database ({reason})")
        }
        Reading::Present(Path::NoBackend) => "no backend answers behind the page".to_owned(),
        Reading::Present(Path::NoPage(why)) => format!("the page does not answer: {why}"),
        Reading::Present(Path::Other(what)) => format!("something else answers in its place: {what}"),
        Reading::Unknown(Reason::Failed(why) | Reason::Forbidden(why)) => format!("the page could not be asked: {why}"),
        Reading::Present(Path::Answered(_)) | Reading::Absent | Reading::NotAsked => {
            format!("there is no service/{}", names::FRONTEND_SERVICE)
        }
    }
}

/// Asks until there is an answer that stays, and says why it takes long.
async fn ask(ctx: &Ctx, cluster: &Cluster, deadline: Instant) -> Reading<Path> {
    let begin = Instant::now();
    let deadline = deadline.min(begin + dns::SETTLED);
    let (mut told, mut shown) = (false, false);
    loop {
        // The page's pods may be others by now.
        let answer = match Snapshot::read(cluster).await.map(|snapshot| Way::of(&snapshot)) {
            Err(error) => Reading::Unknown(error.into()),
            Ok(None) => Reading::Absent,
            Ok(Some(way)) => {
                if !std::mem::replace(&mut shown, true) {
                    let words = way.kubectl(cluster.namespace());
                    ctx.show(|| command(cluster.place(), &words.each_ref().map(String::as_str)));
                }
                // Only the way that leads through the Service is the user's own.
                path::ask(cluster, &Way { pod: None, ..way }, false).await
            }
        };
        let stays = matches!(answer, Reading::Present(Path::Answered(_)) | Reading::Unknown(Reason::Forbidden(_)));
        if stays || Instant::now() >= deadline {
            return answer;
        }
        if !told && begin.elapsed() > LONG {
            told = true;
            ctx.printer.note(format!("everything is ready, but {}", brief(&words(&answer))));
        }
        sleep(PAUSE).await;
    }
}
