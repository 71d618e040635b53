//! Text from the cluster stays text, in every form.

use std::path::Path;

use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report as Suites, TestCaseStatus};

use super::Form;
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::{Cycle, Moment};
use crate::persistence::report::Report;
use crate::persistence::tests::{healthy, report};
use crate::persistence::timeline::Kind;

const HOSTILE: &str = "<script>alert(1)</script>|`code`**b**[a](b)]]>--> {{x}} {% y %} &amp;\"'\u{1b}[31m\u{9b}1m\u{202e}\r\n\n    # h\n| x |\u{0}";
const HARMLESS: &str = "harmless";

/// A report in which this stands wherever a cluster, a database or a kubeconfig could have put it.
fn with(text: &str) -> Report {
    let mut report = report();
    report.context = text.to_owned();
    report.namespace = text.to_owned();
    report.address = text.to_owned();
    report.asked = text.to_owned();
    report.by_hand = vec![text.to_owned()];
    report.setting.server = Reading::Present(text.to_owned());
    let nodes = std::mem::take(&mut report.setting.nodes);
    report.setting.nodes = nodes.into_values().map(|node| (text.to_owned(), node)).collect();
    if let Reading::Present(images) = &mut report.setting.images {
        images[0].pod = text.to_owned();
        images[0].digest = text.to_owned();
    }
    for cycle in &mut report.cycles {
        fill(cycle, text);
    }
    report.contrast = Reading::Unknown(Reason::Failed(text.to_owned()));
    report
}

fn fill(cycle: &mut Cycle, text: &str) {
    let Reading::Present(after) = &mut cycle.after else { panic!("it came back") };
    for Moment { identity, rows } in [&mut cycle.before, after] {
        let pod = &mut identity.pod;
        for field in [&mut pod.name, &mut pod.uid] {
            *field = text.to_owned();
        }
        for field in [&mut pod.owner, &mut pod.node, &mut pod.container, &mut pod.image] {
            *field = Some(text.to_owned());
        }
        pod.addresses = vec![text.to_owned()];
        if let Reading::Present(claim) = &mut identity.claim {
            claim.name = text.to_owned();
            claim.volume = Some(text.to_owned());
        }
        identity.server.directory = text.to_owned();
        identity.server.settings = [(text.to_owned(), text.to_owned())].into();
        let Reading::Present(rows) = rows else { panic!("there are rows") };
        rows[0].id = text.to_owned();
    }
    for event in &mut cycle.timeline.events {
        event.says = text.to_owned();
    }
    cycle.log = Reading::Unknown(Reason::Failed(text.to_owned()));
}

/// What a browser takes for tags, in their order, without the values of attributes.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap()).collect()
}

#[test]
fn nothing_becomes_markup_in_html() {
    let (hostile, harmless) = (Form::Html.text(&with(HOSTILE)).unwrap(), Form::Html.text(&with(HARMLESS)).unwrap());
    assert_eq!(tags(&hostile), tags(&harmless));
    assert!(!hostile.contains("<script") && hostile.contains("&#60;script&#62;alert(1)"));
    assert!(hostile.chars().all(|c| c == '\n' || !c.is_control()) && !hostile.contains('\u{202e}'));
    for network in ["http://", "src=", "href=\"h", "@import", "url(h"] {
        let own = harmless.replace("href=\"data:,\"", "");
        assert!(!own.contains(network), "{network}");
    }
}

/// How many bars a line has that end a cell.
fn bars(line: &str) -> usize {
    line.replace("\\\\", "").replace("\\|", "").matches('|').count()
}

#[test]
fn nothing_becomes_markup_in_markdown() {
    let texts = [HOSTILE, HARMLESS].map(|text| Form::Markdown.text(&with(text)).unwrap());
    let [hostile, harmless] = texts.each_ref().map(|text| text.split_once("## By hand").unwrap());
    assert_eq!(hostile.0.lines().map(bars).collect::<Vec<_>>(), harmless.0.lines().map(bars).collect::<Vec<_>>());
    assert!(hostile.0.contains("&lt;script&gt;alert(1)&lt;/script&gt;\\|\\`code\\`\\*\\*b\\*\\*\\[a\\](b)\\]\\]&gt;"));
    assert!(!hostile.0.contains('<') && !texts[0].contains('\u{1b}') && !texts[0].contains('\r'));
    let code = hostile.1.split_once("sources.\n\n").unwrap().1;
    assert!(code.contains("\n        # h\n"), "{code}");
    assert!(code.lines().all(|line| line.is_empty() || line.starts_with("    ")), "{code}");
}

#[test]
fn nothing_becomes_markup_in_junit() {
    let xml = Form::Junit.text(&with(HOSTILE)).unwrap();
    assert!(xml.chars().all(|c| c == '\n' || !c.is_control()), "{xml:?}");
    let suites = Suites::deserialize_from_str(&xml).unwrap();
    let [suite, beside] = suites.test_suites.as_slice() else { panic!("a suite, and the contrast's") };
    let status = &beside.test_cases[0].status;
    assert!(matches!(status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }), "{status:?}");
    assert!(suite.name.as_str().contains("<script>alert(1)</script>|"), "{}", suite.name.as_str());
    let start = suite.test_cases.iter().find(|case| case.name.as_str() == "start").unwrap();
    let TestCaseStatus::NonSuccess { message, .. } = &start.status else { panic!("it is not known") };
    assert!(message.as_ref().unwrap().as_str().contains("]]>--> {{x}} {% y %} &amp;"), "{message:?}");
}

#[test]
fn each_verdict_is_said_in_words() {
    for (after, words, counts) in [
        (None, "holds", (0, 0)),
        (Some(Reading::Absent), "does not hold", (1, 0)),
        (Some(Reading::Unknown(Reason::Forbidden("no".into()))), "is not known", (0, 1)),
    ] {
        let mut report = report();
        let cycle = &mut report.cycles[0];
        cycle.after = after.unwrap_or_else(|| cycle.after.clone());
        assert!(Form::Html.text(&report).unwrap().contains(&format!("</span> verdict: {words}</p>")), "{words}");
        assert!(Form::Markdown.text(&report).unwrap().contains(&format!("**verdict: {words}**")), "{words}");
        let suites = Suites::deserialize_from_str(&Form::Junit.text(&report).unwrap()).unwrap();
        assert_eq!((suites.failures, suites.errors), counts, "{words}");
    }
}

#[test]
fn level_1_is_beside_it_only_if_it_was_asked_for() {
    let mut report = report();
    for (contrast, is_there) in [(Reading::NotAsked, false), (Reading::Absent, true)] {
        report.contrast = contrast;
        for form in [Form::Html, Form::Markdown, Form::Junit] {
            let text = form.text(&report).unwrap();
            assert_eq!(text.contains("Level 1 beside it"), is_there, "{text}");
            assert_eq!(text.contains("it was not made"), is_there, "{text}");
        }
    }
}

#[test]
fn the_timeline_is_told_in_its_order_and_what_is_not_known_is_said() {
    let mut report = report();
    report.setting.class = Reading::Unknown(Reason::Forbidden("storageclasses is forbidden".into()));
    report.setting.nodes.insert("node-2".into(), Reading::NotAsked);
    report.cycles.push(healthy(1, 1));
    for form in [Form::Html, Form::Markdown] {
        let text = form.text(&report).unwrap();
        assert!(text.contains("not known: you may not read it") && text.contains("not asked"), "{text}");
        let second = text.split_once("Timeline (2 of 2)").unwrap().1;
        let places = report.cycles[1].timeline.events.iter().map(|event| second.find(event.kind.name()).unwrap());
        assert!(places.is_sorted(), "{text}");
        assert!(second.contains(Kind::AnsweredByName.name()) && text.contains("downtime in the pod, 2 times"));
    }
    assert_eq!(Suites::deserialize_from_str(&Form::Junit.text(&report).unwrap()).unwrap().test_suites.len(), 2);
}

#[test]
fn the_ending_says_the_form() {
    assert_eq!(Form::of(Path::new("a/proof.html")), Some(Form::Html));
    assert_eq!(Form::of(Path::new("proof.xml")), Some(Form::Junit));
    for wrong in ["proof", "proof.pdf", ".json", "proof.HTML/"] {
        assert_eq!(Form::of(Path::new(wrong)), None, "{wrong}");
    }
    assert_eq!(Report::parse(&Form::Json.text(&report()).unwrap()).unwrap(), report());
}

proptest! {
    #[test]
    fn no_text_ends_a_line_or_a_cell_of_markdown(text in any::<String>()) {
        let markdown = |report: &Report| Form::Markdown.text(report).unwrap();
        let hostile = markdown(&Report { context: text, ..report() });
        let row = hostile.lines().find(|line| line.starts_with("| context |")).unwrap();
        prop_assert_eq!(bars(row), 3, "{}", row);
        prop_assert!(!row.contains('<'));
        prop_assert_eq!(hostile.lines().count(), markdown(&report()).lines().count());
    }
}
