//! `status -A --watch`: what all namespaces say is asked often, as that takes three requests. An exchange is looked at again only
//! if its set has changed, or after a while: that takes some fifteen.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use tokio::time::{Instant, sleep};

use super::board::{Board, Exchange, changes};
use super::{Args, Lists, depth};
use crate::commands::shared::{exchanges, results};
use crate::commands::status::screen::Screen;
use crate::context::Ctx;
use crate::output::Line;

/// The pause before all namespaces are asked again.
const PAUSE: Duration = Duration::from_secs(3);

/// For how long a look counts whose set has not changed: the page, the backend and the database may have.
const HEALTHY_COUNTS: Duration = Duration::from_secs(30);
const OTHERS_COUNT: Duration = Duration::from_secs(10);

/// What an exchange was when it was last looked at.
struct Looked {
    /// The version of its set that was listed before.
    version: Option<String>,
    at: Instant,
    exchange: Exchange,
}

/// Shows it until the user has seen enough. On a terminal it is drawn in place; elsewhere each change is a line.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<()> {
    let mut screen = Screen::new(ctx);
    let (mut looked, mut said, mut told) = (BTreeMap::new(), BTreeMap::new(), None);
    loop {
        let read = screen.read(async || {
            let lists = Lists::read(ctx).await?;
            let again = look(args, ctx, &lists.sets, &looked).await?;
            Ok((lists, again))
        });
        let (lists, again) = read.await?;
        looked.retain(|there, _| lists.sets.iter().any(|set| namespace(set) == *there));
        looked.extend(again.into_iter().map(|looked| (looked.exchange.namespace.clone(), looked)));
        let all = looked.values().map(|looked: &Looked| lists.complete(looked.exchange.clone(), args.spoil));
        let board = Board { items: all.collect() };
        let unknown = results::unknown(&lists.lessons);
        if screen.is_in_place {
            let table = board.table(args.output.is_wide(), Timestamp::now());
            screen.draw(table.lines().map(Line::from).chain(unknown.map(Line::from)).collect())?;
        } else {
            if let Some(why) = unknown.as_ref().filter(|_| unknown != told) {
                ctx.printer.warning(why);
            }
            told = unknown;
            let summaries = board.summaries();
            for line in changes(&said, &summaries) {
                ctx.printer.out(line)?;
            }
            said = summaries;
        }
        sleep(PAUSE).await;
    }
}

/// The exchanges of these sets that are to be looked at again, as they are now.
async fn look(
    args: &Args,
    ctx: &Ctx,
    sets: &[StatefulSet],
    looked: &BTreeMap<String, Looked>,
) -> anyhow::Result<Vec<Looked>> {
    let now = Instant::now();
    let is_due = |set: &&StatefulSet| !looked.get(&namespace(set)).is_some_and(|looked| counts(looked, set, now));
    let due = sets.iter().filter(is_due);
    let again = exchanges::look_while_there(ctx.cluster().await?, due, depth(args).into(), |set, look| Looked {
        version: set.resource_version(),
        at: Instant::now(),
        exchange: Exchange::new(set, &look),
    });
    Ok(again.await?)
}

fn namespace(set: &StatefulSet) -> String {
    set.namespace().unwrap_or_default()
}

/// Whether a look still says how the exchange of a set is.
fn counts(looked: &Looked, set: &StatefulSet, now: Instant) -> bool {
    let long = if looked.exchange.health.holds() { HEALTHY_COUNTS } else { OTHERS_COUNT };
    looked.version == set.resource_version() && now.duration_since(looked.at) < long
}

#[cfg(test)]
mod tests {
    use kube::core::ObjectMeta;

    use super::super::board::tests::alice;
    use super::*;
    use crate::findings::Health;

    #[test]
    fn an_exchange_is_looked_at_again_once_its_set_has_changed_or_after_a_while() {
        let set = |version: &str| StatefulSet {
            metadata: ObjectMeta { resource_version: Some(version.to_owned()), ..ObjectMeta::default() },
            ..StatefulSet::default()
        };
        let at = Instant::now();
        let looked = |health| {
            let mut exchange = alice();
            exchange.health = health;
            Looked { version: Some("7".to_owned()), at, exchange }
        };
        let soon = at + OTHERS_COUNT - Duration::from_secs(1);
        assert!(counts(&looked(Health::NotReady), &set("7"), soon));
        assert!(!counts(&looked(Health::NotReady), &set("7"), at + OTHERS_COUNT));
        assert!(counts(&looked(Health::Healthy), &set("7"), at + OTHERS_COUNT));
        assert!(!counts(&looked(Health::Healthy), &set("7"), at + HEALTHY_COUNTS));
        assert!(!counts(&looked(Health::Healthy), &set("8"), soon));
    }
}
