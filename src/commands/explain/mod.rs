//! `explain`: what a finding means, how to see it, and how to mend it. It asks no cluster.

mod page;

use serde::Serialize;

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{self, Cause};
use crate::output::{Column, Format, Table};
use crate::text::nearest;

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

/// A finding, as programs are told it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    #[serde(flatten)]
    cause: &'static Cause,
    /// Markdown.
    text: &'static str,
    explains: Vec<&'static Cause>,
    explained_by: Vec<&'static Cause>,
}

impl Explanation {
    fn of(cause: &'static Cause) -> Self {
        Self { cause, text: cause.text, explains: cause.consequences(), explained_by: findings::explained_by(cause) }
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
    let Some(cause) = find(code) else {
        let meant = similar(code).map(|name| format!(": did you mean {name}?")).unwrap_or_default();
        let hint = ctx.own_command("explain").to("list all codes");
        return Err(Error::new(format!("there is no finding {code:?}{meant}"), hint).into());
    };
    let explanation = Explanation::of(cause);
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
    let columns =
        [Column::always("CODE"), Column::always("NAME"), Column::always("TITLE"), Column::wide("EXPLAINED-BY")];
    let mut table = Table::new(&columns, wide);
    for cause in all {
        let explained_by = findings::explained_by(cause).iter().map(|other| other.id).collect::<Vec<_>>();
        table.row([cause.id, cause.slug, cause.title].map(str::to_owned).into_iter().chain([explained_by.join(",")]));
    }
    table.text()
}

/// The finding of a code, or of a name.
fn find(code: &str) -> Option<&'static Cause> {
    findings::every().find(|cause| [cause.id, cause.slug].iter().any(|name| name.eq_ignore_ascii_case(code.trim())))
}

/// The code or name that somebody who typed this may have meant.
fn similar(code: &str) -> Option<&'static str> {
    let names = findings::every().flat_map(|cause| [cause.id, cause.slug]);
    let near = nearest(code, names).into_iter().next()?;
    let distance = strsim::osa_distance(&code.to_lowercase(), &near.to_lowercase());
    // A code with two other digits is any other code.
    (distance * 3 <= near.len()).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_found_by_its_code_and_by_its_name_in_any_case() {
        for cause in findings::every() {
            for code in [cause.id.to_owned(), cause.id.to_lowercase(), cause.slug.to_owned(), cause.slug.to_uppercase()]
            {
                assert_eq!(find(&code), Some(cause), "{code}");
            }
        }
        assert_eq!(find("KC0"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn only_what_is_nearly_right_is_taken_for_another() {
        assert_eq!(similar("claim-unbund"), Some("claim-unbound"));
        assert_eq!(similar("ClaimUnbound"), Some("claim-unbound"));
        assert_eq!(similar("KC10"), Some("KC010"));
        assert_eq!(similar("KC999"), None);
        assert_eq!(similar("something else"), None);
        assert_eq!(similar(""), None);
    }

    #[test]
    fn what_explains_another_is_explained_by_it() {
        let explanation = Explanation::of(find("starting").unwrap());
        assert!(explanation.explained_by.contains(&find("image-pull").unwrap()));
        assert!(explanation.explains.contains(&find("not-ready").unwrap()));
        assert!(table(&findings::by_id(), true).contains("KC010   claim-unbound"));
    }
}
