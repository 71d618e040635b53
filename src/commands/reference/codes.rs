//! The page about the codes of findings, as the repository shows it.

use crate::findings::{self, Cause};
use crate::kubernetes::ByHand;

/// The page.
pub fn page() -> String {
    let all = findings::by_id();
    let by_hand = ByHand::default();
    let [by_id, by_name] = ["KC010", "claim-unbound"].map(|code| by_hand.own(["explain", code]).line());
    let target = by_hand.own(["doctor", "--target", "statefulset/NAME"]).line();
    let intro = format!(
        "What `doctor` can find, each with a code that never changes. The other commands name the same codes. `{by_id}` or `{by_name}` prints the \
         same text, without a cluster. Any StatefulSet can have some of them: `{target}` looks for these.\n\n"
    );
    let table: String = all.iter().map(|cause| row(cause)).collect();
    let texts: String = all.iter().map(|cause| section(cause)).collect();
    ["# The findings\n\n", &intro, "| code | name | of | what is wrong |\n|---|---|---|---|\n", &table, &texts].concat()
}

fn row(cause: &Cause) -> String {
    let of = if findings::is_of_any_set(cause) { "any StatefulSet" } else { "the exchange" };
    format!("| {} | `{}` | {of} | {} |\n", link(cause), cause.slug, cause.title)
}

/// Leads to the heading of a finding.
fn link(cause: &Cause) -> String {
    format!("[{}](#{}-{})", cause.id, cause.id.to_lowercase(), cause.slug)
}

/// A finding below its heading; the headings of its text go one level down.
fn section(cause: &'static Cause) -> String {
    let text: String = cause.text.split_inclusive('\n').map(lowered).collect();
    let related =
        related("It explains", &cause.consequences()) + &related("It is explained by", &findings::explained_by(cause));
    format!("\n## {} {}\n\n{}.\n\n{text}{related}", cause.id, cause.slug, cause.title)
}

fn lowered(line: &'static str) -> String {
    if line.starts_with("## ") { format!("#{line}") } else { line.to_owned() }
}

fn related(words: &str, others: &[&Cause]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let links: Vec<String> = others.iter().map(|cause| link(cause)).collect();
    format!("\n{words}: {}.\n", links.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_has_a_row_that_leads_to_its_heading() {
        let page = page();
        for cause in findings::every() {
            let anchor = format!("#{}-{}", cause.id.to_lowercase(), cause.slug);
            assert!(page.contains(&format!("| [{}]({anchor}) | ", cause.id)), "{cause:?}");
            assert!(
                page.contains(&format!("\n## {} {}\n\n{}.\n\n### What it means\n", cause.id, cause.slug, cause.title))
            );
        }
        assert!(!page.contains("\n## What"), "{page}");
        assert!(page.contains("It explains: [KC0") && page.contains("It is explained by: [KC0"));
    }
}
