//! Text from the cluster stays text, in every form.

use std::path::Path;

use askama::filters::Escaper;
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus};

use super::{Form, escape};
use crate::observe::{Reading, Reason};
use crate::persistence::about::About;
use crate::persistence::evidence::{DataAsked, Evidence, SetSeen, Turn};
use crate::persistence::identity::PodSeen;
use crate::persistence::report::Report;
use crate::persistence::tests::{after, database, healthy, report, sets};
use crate::persistence::timeline::{Kind, Timeline};
use crate::persistence::verdict::{Check, downtime, judge};

const HOSTILE: &str = "<script>alert(1)</script>|`code`**b**[a](b)]]>--> {{x}} {% y %} &amp;\"'\u{1b}[31m\u{9b}1m\u{202e}\r\n\n    # h\n| x |\u{0}";
const HARMLESS: &str = "harmless";

/// A report on the exchange or on any set in which this stands wherever a cluster, a database or a kubeconfig could have put it.
type With = fn(&str) -> Report;
const EITHER: [With; 2] = [exchange_with, set_with];

fn exchange_with(text: &str) -> Report {
    let mut report = report();
    fill_about(&mut report.about, text);
    for turn in &mut report.evidence.turns {
        fill_exchange(turn, text);
    }
    report.contrast = Reading::Unknown(Reason::Failed(text.to_owned()));
    report
}

fn set_with(text: &str) -> Report {
    let mut report = sets::report(sets::healthy(2));
    fill_about(&mut report.about, text);
    let evidence = &mut report.evidence;
    evidence.set = SetSeen { name: text.to_owned(), uid: text.to_owned() };
    evidence.data = DataAsked::Output { write: Some(text.to_owned()), read: text.to_owned() };
    evidence.planned.fill(text.to_owned());
    for turn in &mut evidence.turns {
        fill_turn(turn, text);
    }
    report
}

fn fill_about(about: &mut About, text: &str) {
    for field in [&mut about.context, &mut about.namespace, &mut about.address, &mut about.asked] {
        *field = text.to_owned();
    }
    about.by_hand = vec![text.to_owned()];
    about.setting.server = Reading::Present(text.to_owned());
    let nodes = std::mem::take(&mut about.setting.nodes);
    about.setting.nodes = nodes.into_values().map(|node| (text.to_owned(), node)).collect();
    if let Reading::Present(images) = &mut about.setting.images {
        images[0].pod = text.to_owned();
        images[0].digest = text.to_owned();
    }
}

fn fill_pod(pod: &mut PodSeen, text: &str) {
    for field in [&mut pod.name, &mut pod.uid] {
        *field = text.to_owned();
    }
    for field in [&mut pod.owner, &mut pod.node, &mut pod.container, &mut pod.image] {
        *field = Some(text.to_owned());
    }
    pod.addresses = vec![text.to_owned()];
}

fn fill_timeline(timeline: &mut Timeline, text: &str) {
    for event in &mut timeline.events {
        event.says = text.to_owned();
    }
}

/// The claims of the pod before are still others, so that what is the same is told and what is not.
fn fill_turn(turn: &mut Turn, text: &str) {
    let failed = || Reason::Failed(text.to_owned());
    fill_pod(&mut turn.before.pod, text);
    let after = self::after(turn);
    fill_pod(&mut after.pod, text);
    let claimed = &mut after.claims[0];
    claimed.name = text.to_owned();
    let claim = sets::claim(claimed);
    (claim.name, claim.uid) = (text.to_owned(), text.to_owned());
    (claim.volume, claim.class) = (Some(text.to_owned()), Some(text.to_owned()));
    claimed.volume = Reading::Present(text.to_owned());
    after.claims[1].claim = Reading::Unknown(failed());
    let data = sets::data(turn);
    (data.code, data.first_line, data.said) = (1, text.to_owned(), text.to_owned());
    fill_timeline(&mut turn.timeline, text);
    turn.name = Reading::Unknown(failed());
}

fn fill_exchange(turn: &mut Turn, text: &str) {
    let Reading::Present(after) = &mut turn.after else { panic!("it came back") };
    for moment in [&mut turn.before, after] {
        fill_pod(&mut moment.pod, text);
        let claimed = &mut moment.claims[0];
        claimed.name = text.to_owned();
        let claim = sets::claim(claimed);
        claim.name = text.to_owned();
        claim.volume = Some(text.to_owned());
        let database = database(moment);
        database.server.directory = text.to_owned();
        database.server.settings = [(text.to_owned(), text.to_owned())].into();
        let Reading::Present(rows) = &mut database.rows else { panic!("there are rows") };
        rows[0].id = text.to_owned();
    }
    fill_timeline(&mut turn.timeline, text);
    turn.log = Reading::Unknown(Reason::Failed(text.to_owned()));
}

/// What a browser takes for tags, in their order, without the values of attributes.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap()).collect()
}

/// Whether nothing in it moves a terminal's cursor or reorders text.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| (c == '\n' || !c.is_control()) && c != '\u{202e}')
}

#[test]
fn nothing_becomes_markup_in_html() {
    for with in EITHER {
        let [hostile, harmless] = [HOSTILE, HARMLESS].map(|text| Form::Html.text(&with(text)).unwrap());
        assert_eq!(tags(&hostile), tags(&harmless));
        assert!(!hostile.contains("<script") && hostile.contains("&#60;script&#62;alert(1)"));
        assert!(is_harmless(&hostile));
        for network in ["http://", "src=", "href=\"h", "@import", "url(h"] {
            let own = harmless.replace("href=\"data:,\"", "");
            assert!(!own.contains(network), "{network}");
        }
    }
}

/// How many bars a line has that end a cell.
fn bars(line: &str) -> usize {
    line.replace("\\\\", "").replace("\\|", "").matches('|').count()
}

#[test]
fn nothing_becomes_markup_in_markdown() {
    for with in EITHER {
        let texts = [HOSTILE, HARMLESS].map(|text| Form::Markdown.text(&with(text)).unwrap());
        let [hostile, harmless] = texts.each_ref().map(|text| text.split_once("## By hand").unwrap());
        assert_eq!(hostile.0.lines().map(bars).collect::<Vec<_>>(), harmless.0.lines().map(bars).collect::<Vec<_>>());
        let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\`code\\`\\*\\*b\\*\\*\\[a\\](b)\\]\\]&gt;";
        assert!(hostile.0.contains(escaped), "{}", hostile.0);
        assert!(!hostile.0.contains('<') && !texts[0].contains('\u{1b}') && !texts[0].contains('\r'));
        let code = hostile.1.splitn(3, "\n\n").last().unwrap();
        assert!(code.contains("\n        # h\n"), "{code}");
        assert!(code.lines().all(|line| line.is_empty() || line.starts_with("    ")), "{code}");
    }
}

#[test]
fn nothing_becomes_markup_in_junit() {
    let xml = Form::Junit.text(&exchange_with(HOSTILE)).unwrap();
    assert!(is_harmless(&xml), "{xml:?}");
    let suites = Suites::deserialize_from_str(&xml).unwrap();
    let [suite, beside] = suites.test_suites.as_slice() else { panic!("a suite, and the contrast's") };
    let status = &beside.test_cases[0].status;
    assert!(matches!(status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }), "{status:?}");
    assert!(suite.name.as_str().contains("<script>alert(1)</script>|"), "{}", suite.name.as_str());
    let start = suite.test_cases.iter().find(|case| case.name.as_str() == "start").unwrap();
    let TestCaseStatus::NonSuccess { message, .. } = &start.status else { panic!("it is not known") };
    assert!(message.as_ref().unwrap().as_str().contains("]]>--> {{x}} {% y %} &amp;"), "{message:?}");

    let xml = Form::Junit.text(&set_with(HOSTILE)).unwrap();
    assert!(is_harmless(&xml), "{xml:?}");
    let suites = Suites::deserialize_from_str(&xml).unwrap();
    let suites: Vec<&str> = suites.test_suites.iter().map(|suite| suite.name.as_str()).collect();
    let [first, _, every] = suites.as_slice() else { panic!("a suite for each pod, and one for all: {suites:?}") };
    assert!(first.starts_with("pod/<script>alert(1)</script>|"), "{first}");
    assert!(every.starts_with("statefulset/<script>alert(1)</script>|"), "{every}");
}

#[test]
fn each_verdict_is_said_in_words() {
    for (after, words, counts) in [
        (None, "holds", (0, 0)),
        (Some(Reading::Absent), "does not hold", (1, 0)),
        (Some(Reading::Unknown(Reason::Forbidden("no".into()))), "is not known", (0, 1)),
    ] {
        let mut report = report();
        let turn = &mut report.evidence.turns[0];
        turn.after = after.unwrap_or_else(|| turn.after.clone());
        assert!(Form::Html.text(&report).unwrap().contains(&format!("</span> verdict: {words}</p>")), "{words}");
        assert!(Form::Markdown.text(&report).unwrap().contains(&format!("**verdict: {words}**")), "{words}");
        let suites = Suites::deserialize_from_str(&Form::Junit.text(&report).unwrap()).unwrap();
        assert_eq!((suites.failures, suites.errors), counts, "{words}");
    }
}

fn escaped(by: impl Escaper, text: &str) -> String {
    let mut escaped = String::new();
    by.write_escaped_str(&mut escaped, text).unwrap();
    escaped
}

/// The name of a case, and the evidence in it.
fn told(case: &TestCase) -> (&str, &str) {
    (&case.name, case.system_out.as_deref().unwrap_or_default())
}

/// The forms of a report on a set that are not its evidence itself.
fn forms(evidence: &Evidence) -> ([String; 2], Suites) {
    let [html, markdown, junit] =
        [Form::Html, Form::Markdown, Form::Junit].map(|form| form.text(&sets::report(evidence.clone())).unwrap());
    ([html, markdown], Suites::deserialize_from_str(&junit).unwrap())
}

#[test]
fn a_report_on_a_set_says_its_verdict_and_each_check_with_its_evidence() {
    let mut bad = sets::healthy(3);
    sets::claim(&mut after(&mut bad.turns[1]).claims[0]).uid = "another".into();
    let cut_short = Evidence { turns: sets::healthy(3).turns[..2].to_vec(), ..sets::healthy(3) };
    for (evidence, words, counts) in [
        (sets::healthy(3), "holds", (0, 0, 0)),
        (sets::without_data(sets::healthy(3)), "identity holds, data not checked", (0, 0, 3)),
        (bad, "does not hold", (1, 0, 0)),
        (cut_short, "is not known", (0, 1, 0)),
    ] {
        let judged = judge(&evidence);
        assert_eq!(judged.words(), words);
        let ([html, markdown], suites) = forms(&evidence);
        assert!(html.contains(&format!("</span> verdict: {words}</p>")), "{html}");
        assert!(html.contains(&format!("<title>What outlives the pods of statefulset/store: {words}</title>")));
        assert!(markdown.contains(&format!("**verdict: {words}**\n\n- ")), "{markdown}");
        assert_eq!((suites.failures, suites.errors), (counts.0, counts.1), "{words}");
        assert_eq!(suites.test_suites.iter().map(|suite| suite.skipped).sum::<usize>(), counts.2, "{words}");

        let cases: Vec<(&str, &str)> =
            suites.test_suites.iter().flat_map(|suite| &suite.test_cases).map(told).collect();
        let checks: Vec<&Check> = judged.pods.iter().flat_map(|pod| &pod.checks).chain([&judged.complete]).collect();
        assert_eq!(cases, checks.iter().map(|check| (check.name.words(), &*check.evidence)).collect::<Vec<_>>());
        for Check { name, holds, evidence, .. } in checks {
            let row = format!("\n| {holds} | {name} | {} |\n", escaped(escape::Markdown, evidence));
            assert!(markdown.contains(&row), "no {row} in {markdown}");
            let evidence = escaped(escape::Page, evidence);
            let item = format!("<strong>{name}</strong> <span class=\"evidence\">{evidence}</span>");
            assert!(html.contains(&item), "no {item} in {html}");
        }
        for (turn, pod) in evidence.turns.iter().zip(&evidence.planned) {
            let away = format!("downtime of pod/{pod}: {}", downtime(&evidence, turn));
            assert!(html.contains(&format!("<p>{away}</p>")) && markdown.contains(&format!("\n- {away}\n")), "{away}");
        }
    }
}

#[test]
fn what_a_set_leaves_open_is_said_and_not_counted() {
    let mut evidence = sets::without_data(sets::healthy(1));
    evidence.turns[0].name = Reading::Unknown(Reason::Failed("no bridge".into()));
    let ([html, markdown], suites) = forms(&evidence);
    let note = "left open and not counted: data not checked, DNS not checked.";
    assert!(html.contains(note) && markdown.contains(note), "{markdown}");
    let is_skipped = |case: &&TestCase| matches!(case.status, TestCaseStatus::Skipped { .. });
    let skipped = suites.test_suites[0].test_cases.iter().filter(is_skipped).map(|case| told(case).0);
    assert_eq!(skipped.collect::<Vec<_>>(), ["same address by name", "same data"]);
    let ([html, markdown], _) = forms(&sets::healthy(1));
    assert!(!html.contains("not counted") && !markdown.contains("not counted"), "{markdown}");
}

/// The cells of a row of the first table of identities.
fn identity<'a>(markdown: &'a str, name: &str) -> Vec<&'a str> {
    let row = markdown.lines().find(|line| line.starts_with(&format!("| {name} | ")));
    row.unwrap_or_else(|| panic!("no {name} in {markdown}")).split('|').map(str::trim).skip(2).take(3).collect()
}

#[test]
fn identities_are_told_before_and_after() {
    let mut evidence = sets::healthy(1);
    let turn = &mut evidence.turns[0];
    let forbidden = || Reading::Unknown(Reason::Forbidden("no".into()));
    turn.before.claims[0].volume = forbidden();
    let after = after(turn);
    after.claims[0].volume = forbidden();
    after.claims.pop();
    after.pod.restarts = 2;
    let ([html, markdown], _) = forms(&evidence);
    for (name, cells) in [
        ("pod", ["store-0", "store-0", "same"]),
        ("pod's UID", ["old store-0", "new store-0", "another"]),
        ("restarts", ["0", "2", "another"]),
        ("pvc/data-store-0, UID", ["uid of data-store-0", "uid of data-store-0", "same"]),
        ("pvc/data-store-0, class", ["none", "none", "same"]),
        ("pvc/data-store-0, volume", ["pv of data-store-0", "pv of data-store-0", "same"]),
        ("pvc/log-store-0, UID", ["uid of log-store-0", "none", "another"]),
    ] {
        assert_eq!(identity(&markdown, name), cells, "{name}");
    }
    // Neither of two is known: nobody knows whether they are the same.
    assert_eq!(identity(&markdown, "pvc/data-store-0, volume's UID")[2], "not known");
    let data = identity(&markdown, "data read in container main");
    assert!(data[0].starts_with("5 bytes, SHA-256 ") && data[2] == "same", "{data:?}");
    for words in ["down until Ready", "down by the name", "--write", "SET", "--read", "GET"] {
        assert!(html.contains(words), "no {words} in {html}");
    }
    evidence.turns[0].after = Reading::Absent;
    let ([_, markdown], _) = forms(&evidence);
    assert_eq!(identity(&markdown, "pod"), ["store-0", "none", "not known"]);
}

#[test]
fn level_1_is_beside_it_only_if_it_was_asked_for() {
    let mut report = report();
    for (contrast, is_there) in [(Reading::NotAsked, false), (Reading::Absent, true)] {
        report.contrast = contrast;
        for form in [Form::Html, Form::Markdown, Form::Junit] {
            let text = form.text(&report).unwrap();
            assert_eq!(text.contains("Level 1 beside it"), is_there, "{text}");
            assert_eq!(text.contains("it was not created"), is_there, "{text}");
        }
    }
}

#[test]
fn the_timeline_is_told_in_its_order_and_what_is_not_known_is_said() {
    let mut report = report();
    report.about.setting.class = Reading::Unknown(Reason::Forbidden("storageclasses is forbidden".into()));
    report.about.setting.nodes.insert("node-2".into(), Reading::NotAsked);
    let second = healthy(1, 1).turns.remove(0);
    report.evidence.planned.push("postgres-0".into());
    report.evidence.turns.push(second);
    for form in [Form::Html, Form::Markdown] {
        let text = form.text(&report).unwrap();
        assert!(text.contains("not known: you may not read it") && text.contains("not asked"), "{text}");
        let second = text.split_once("Timeline of pod/postgres-0 (2 of 2)").unwrap().1;
        let places =
            report.evidence.turns[1].timeline.events.iter().map(|event| second.find(event.kind.name()).unwrap());
        assert!(places.is_sorted(), "{text}");
        assert!(second.contains(Kind::AnsweredByName.name()) && text.contains("downtime in the pod, 2 times"));
    }
    assert_eq!(Suites::deserialize_from_str(&Form::Junit.text(&report).unwrap()).unwrap().test_suites.len(), 3);
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
        let mut report_with = report();
        report_with.about.context = text;
        let hostile = markdown(&report_with);
        let row = hostile.lines().find(|line| line.starts_with("| context |")).unwrap();
        prop_assert_eq!(bars(row), 3, "{}", row);
        prop_assert!(!row.contains('<'));
        prop_assert_eq!(hostile.lines().count(), markdown(&report()).lines().count());
    }
}
