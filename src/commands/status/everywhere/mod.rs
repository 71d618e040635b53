//! `status -A`: every exchange of the cluster, each on a line, and how far its owner is in the lesson.

mod board;
mod junit;
mod watch;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use tokio::join;

use super::{Args, Format, depth};
use crate::commands::shared::{exchanges, results};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::lesson::results::Results;
use crate::observe::Reading;
use board::{Board, Exchange};
use junit::Learner;

/// What the answer is called by programs.
const KIND: &str = "StatusList";

/// What every namespace is asked at once: which has an exchange, and what came of the questions there.
struct Lists {
    sets: Vec<StatefulSet>,
    lessons: Reading<BTreeMap<String, Results>>,
}

/// Shows them.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if args.watch {
        watch::run(args, ctx).await?;
    }
    let lists = Lists::read(ctx).await?;
    if let Some(why) = results::unknown(&lists.lessons) {
        ctx.printer.warning(&why);
    }
    if args.output == Format::Junit {
        return grades(ctx, &lists).await;
    }
    let cluster = ctx.cluster().await?;
    let items = exchanges::look_at(cluster, &lists.sets, depth(args).into(), |set, _, look| {
        Exchange::new(set, &look).with_answers(&lists.lessons)
    });
    let board = Board { items: items.await };
    match args.output.usual().map(|format| format.text(KIND, &board)).transpose()?.flatten() {
        Some(text) => ctx.printer.out_text(&text)?,
        None => ctx.printer.out_text(&board.table(args.output.is_wide(), Timestamp::now()))?,
    }
    Ok(Outcome::holds_if(board.items.iter().all(|exchange| exchange.health.holds())))
}

impl Lists {
    async fn read(ctx: &Ctx) -> anyhow::Result<Self> {
        let (sets, lessons) = join!(exchanges::sets(ctx), results::everywhere(ctx));
        Ok(Self { sets: sets?, lessons: lessons? })
    }
}

/// Writes what came of the questions. Nothing of an exchange is looked at for it.
async fn grades(ctx: &Ctx, lists: &Lists) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let learner = |set: &StatefulSet| {
        let namespace = set.namespace().unwrap_or_default();
        let proved_by = cluster.in_namespace(&namespace).place().by_hand.own(["lesson", "N", "--report", "FILE.xml"]);
        Learner { answers: board::answers_in(&lists.lessons, &namespace), proved_by: proved_by.line(), namespace }
    };
    let learners: Vec<Learner> = lists.sets.iter().map(learner).collect();
    ctx.printer.out_text(&junit::text(&learners)?)?;
    Ok(Outcome::holds_if(learners.iter().all(Learner::all_tried_hold)))
}
