//! `doctor -A`: every exchange of the cluster.

use std::collections::BTreeMap;

use serde::Serialize;
use tokio::join;

use super::report::Doctor;
use super::{Args, Format, junit, view};
use crate::commands::shared::look::Scope;
use crate::commands::shared::{exchanges, exercise};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::output::{Column, Table};
use crate::text::json;

const COLUMNS: [Column; 3] = [Column::always("NAMESPACE"), Column::always("HEALTH"), Column::always("FINDINGS")];

/// What the answer is called by programs.
const KIND: &str = "DoctorList";

/// All exchanges of a cluster.
#[derive(Debug, Serialize)]
struct Doctors {
    items: Vec<Doctor>,
}

/// Looks at each, and says what is wrong.
pub async fn run(args: &Args, scope: Scope<'_>, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let (sets, running) = join!(exchanges::sets(ctx), untold(args, ctx));
    let (sets, running) = (sets?, running?);
    let items = exchanges::look_at(ctx.cluster().await?, &sets, scope, |_, cluster, look| {
        let exercise = running.get(cluster.namespace()).copied();
        Doctor::new(cluster.place(), &look, args.asked(scope.causes)).without_causes(exercise, &look)
    });
    let all = Doctors { items: items.await };
    match args.output {
        Format::Junit => ctx.printer.out_text(&junit::text(&all.items, scope.causes)?)?,
        Format::Json => ctx.printer.out_text(&json::text(KIND, &all)?)?,
        Format::Yaml => ctx.printer.out_text(&json::yaml(KIND, &all)?)?,
        Format::Table | Format::Wide => {
            ctx.printer.out_text(&table(&all))?;
            let has_more = |doctor: &&Doctor| !doctor.findings.is_empty() || doctor.symptoms.is_some();
            for doctor in all.items.iter().filter(has_more) {
                ctx.printer.out("")?;
                for line in view::lines(doctor, args.output == Format::Wide) {
                    ctx.printer.out_wrapped(line, 2)?;
                }
            }
        }
    }
    Ok(all.items.iter().map(Doctor::outcome).find(|outcome| *outcome != Outcome::Holds).unwrap_or(Outcome::Holds))
}

/// The exercises whose causes are not to be told, by their namespaces.
async fn untold(args: &Args, ctx: &Ctx) -> anyhow::Result<BTreeMap<String, u8>> {
    if args.spoil { Ok(BTreeMap::new()) } else { exercise::everywhere(ctx).await }
}

fn table(all: &Doctors) -> String {
    let mut table = Table::new(&COLUMNS, false);
    for doctor in &all.items {
        let codes = doctor.findings.iter().map(|it| it.finding.cause.id).collect::<Vec<_>>();
        table.row([doctor.namespace.clone(), doctor.health.word().to_owned(), codes.join(",")]);
    }
    table.text()
}
