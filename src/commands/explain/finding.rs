//! What a finding means, how to see it, and how to mend it. It asks no cluster.

use serde::Serialize;

use super::page;
use crate::findings::{self, Cause};
use crate::kubernetes::ByHand;
use crate::output::{Column, Line, Role, Table};

/// What can have a cause.
const ANY_SET: &str = "any StatefulSet";
const EXCHANGE: &str = "the exchange";

/// A finding, as programs are told it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
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
    pub fn of(cause: &'static Cause) -> Self {
        Self {
            cause,
            text: cause.text,
            any_stateful_set: findings::is_of_any_set(cause),
            explains: cause.consequences(),
            explained_by: findings::explained_by(cause),
        }
    }
}

/// All that is said of a finding.
pub fn lines(explanation: &Explanation, width: usize) -> Vec<Line> {
    let Explanation { cause, text, any_stateful_set, explains, explained_by } = explanation;
    let mut lines = vec![Line::default().and(Role::Title, format!("{} {}: {}", cause.id, cause.slug, cause.title))];
    lines.push(Line::default());
    lines.extend(page::of_text(text, width));
    for (words, others) in [("It explains", explains), ("It is explained by", explained_by)] {
        if !others.is_empty() {
            lines.push(Line::default());
            lines.extend(page::wrapped(&format!("{words}: {}", named(others)), "", width));
        }
    }
    if *any_stateful_set {
        lines.push(Line::default());
        lines.extend(page::wrapped(&any_set(), "", width));
    }
    lines
}

fn named(causes: &[&Cause]) -> String {
    let names: Vec<String> = causes.iter().map(|cause| format!("{} {}", cause.id, cause.slug)).collect();
    names.join(", ")
}

/// What is said of a cause that is not of the exchange alone.
fn any_set() -> String {
    let look = ByHand::default().own("doctor --target statefulset/NAME");
    format!(
        "Any StatefulSet can have it, not only the exchange, whose names the text has. To look for it: `{}`",
        look.line()
    )
}

/// All findings, a row each.
pub fn table(all: &[&'static Cause], wide: bool) -> String {
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
    use super::page::{INDENT, WIDEST};
    use super::*;
    use crate::commands::shared::cause;

    #[test]
    fn what_explains_another_is_explained_by_it() {
        let explanation = Explanation::of(cause::find("starting").unwrap());
        assert!(explanation.explained_by.contains(&cause::find("image-pull").unwrap()));
        assert!(explanation.explains.contains(&cause::find("not-ready").unwrap()));
        assert!(table(&findings::by_id(), true).contains("KC010   claim-unbound              any StatefulSet"));
    }

    #[test]
    fn no_text_has_other_marks_or_is_too_wide() {
        for cause in findings::every() {
            let explanation = Explanation::of(cause);
            let all: Vec<String> = lines(&explanation, WIDEST).iter().map(Line::plain).collect();
            for line in &all[1..] {
                let is_command = line.starts_with(INDENT);
                assert!(is_command || line.chars().count() <= WIDEST, "{cause:?}: {line}");
                assert!(is_command || !line.contains(['`', '#', '*', '[']), "{cause:?}: {line}");
            }
        }
    }
}
