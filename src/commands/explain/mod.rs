//! `explain`: what a finding means, how to see it, and how to mend it. It asks no cluster.

mod page;

use serde::Serialize;

use super::shared::cause;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{self, Cause};
use crate::output::{Column, Format, Table};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin explain                 # list all codes
  kubectl kubecoin explain KC010
  kubectl kubecoin explain claim-unbound   # the same, by its name
  kubectl kubecoin explain KC010 -o json | jq -r .text

It needs no cluster, and no rights.";

/// What `explain` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Code of a finding, such as KC010 or claim-unbound [default: list all]
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// Output format: table, wide, json or yaml
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,
}

/// What can have a cause.
const ANY_SET: &str = "any StatefulSet";
const EXCHANGE: &str = "the exchange";

/// A finding, as programs are told it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    #[serde(flatten)]
    cause: &'static Cause,
    /// Markdown.
    text: &'static str,
    /// Whether `doctor --target` looks for it too.
    any_stateful_set: bool,
    explains: Vec<&'static Cause>,
    explained_by: Vec<&'static Cause>,
}

impl Explanation {
    fn of(cause: &'static Cause) -> Self {
        Self {
            cause,
            text: cause.text,
            any_stateful_set: findings::is_of_any_set(cause),
            explains: cause.consequences(),
            explained_by: findings::explained_by(cause),
        }
    }
}

/// All of them, as programs are told it.
#[derive(Serialize)]
struct Explanations {
    items: Vec<&'static Cause>,
}

/// Explains one, or lists all.
///
/// # Errors
/// If there is no such code.
pub fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let Some(code) = &args.code else { return list(args.output, ctx) };
    let explanation = Explanation::of(cause::named(code, ctx)?);
    if let Some(text) = args.output.text("Explanation", &explanation)? {
        ctx.printer.out_text(&text)?;
    } else {
        for line in page::lines(&explanation, page::width()) {
            ctx.printer.out(line)?;
        }
    }
    Ok(Outcome::Holds)
}

fn list(output: Format, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let all = findings::by_id();
    let text = output.text("ExplanationList", &Explanations { items: all.clone() })?;
    ctx.printer.out_text(&text.unwrap_or_else(|| table(&all, output.is_wide())))?;
    Ok(Outcome::Holds)
}

fn table(all: &[&'static Cause], wide: bool) -> String {
    let columns = [
        Column::always("CODE"),
        Column::always("NAME"),
        Column::always("OF"),
        Column::always("TITLE"),
        Column::wide("EXPLAINED-BY"),
    ];
    let mut table = Table::new(&columns, wide);
    for cause in all {
        let explained_by = findings::explained_by(cause).iter().map(|other| other.id).collect::<Vec<_>>();
        let of = if findings::is_of_any_set(cause) { ANY_SET } else { EXCHANGE };
        let columns = [cause.id, cause.slug, of, cause.title].map(str::to_owned);
        table.row(columns.into_iter().chain([explained_by.join(",")]));
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_explains_another_is_explained_by_it() {
        let explanation = Explanation::of(cause::find("starting").unwrap());
        assert!(explanation.explained_by.contains(&cause::find("image-pull").unwrap()));
        assert!(explanation.explains.contains(&cause::find("not-ready").unwrap()));
        assert!(table(&findings::by_id(), true).contains("KC010   claim-unbound              any StatefulSet"));
    }
}
