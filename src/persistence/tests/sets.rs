//! The judgement on a set, held against every way in which evidence can be bad.

use proptest::prelude::*;

use super::about;
use crate::observe::{Reading, Reason};
use crate::persistence::How;
use crate::persistence::evidence::{Claimed, Data, DataAsked, Evidence, Moment, NameAnswer, Resolved, SetSeen, Turn};
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::output::{Digest, Output};
use crate::persistence::report::{Report, with_something_changed};
use crate::persistence::timeline::{Change, Timeline, step};
use crate::persistence::verdict::{CheckName, Holds, Open, judge};

pub use super::after;

fn output(text: &str) -> Output {
    let mut digest = Digest::default();
    digest.push(text.as_bytes());
    digest.end(0, String::new())
}

fn turn(pod: &str) -> Turn {
    let seen = |uid: &str, address: &str, started: &str| PodSeen {
        name: pod.into(),
        uid: format!("{uid} {pod}"),
        owner: Some("set".into()),
        addresses: vec![address.into()],
        node: Some("node-1".into()),
        container: Some(format!("container of {uid}")),
        started_at: Some(started.parse().unwrap()),
        ready: true,
        ..PodSeen::default()
    };
    let claim = |name: &str| Claimed {
        name: format!("{name}-{pod}"),
        claim: Reading::Present(ClaimSeen {
            name: format!("{name}-{pod}"),
            uid: format!("uid of {name}-{pod}"),
            volume: Some(format!("pv of {name}-{pod}")),
            class: None,
        }),
        volume: Reading::Present(format!("uid of pv of {name}-{pod}")),
    };
    let moment = |pod: PodSeen| Moment {
        claims: vec![claim("data"), claim("log")],
        data: Data::Output(Reading::Present(output("PONG\n"))),
        pod,
    };
    let old = seen("old", "10.0.0.1", "2026-11-24T01:00:00Z");
    let new = seen("new", "10.0.0.2", "2026-11-24T02:00:05Z");
    let ended = PodSeen { container: None, ended_at: Some("2026-11-24T02:00:03Z".parse().unwrap()), ..old.clone() };
    let changes = [
        (1, Change::Asked),
        (9, Change::Pod(Some(Box::new(ended)))),
        (10, Change::Pod(None)),
        (20, Change::Pod(Some(Box::new(new.clone())))),
        (40, Change::Resolved(vec!["10.0.0.2".into()])),
    ];
    let timeline = Timeline::new(How::Delete, old.clone());
    Turn {
        asked_at: "2026-11-24T02:00:01Z".parse().unwrap(),
        container: Some("main".into()),
        before: moment(old),
        after: Reading::Present(moment(new)),
        timeline: changes.into_iter().fold(timeline, |timeline, (at, change)| step(timeline, change, at)),
        name: Reading::Present(NameAnswer {
            from: "other".into(),
            names: vec![Resolved {
                name: format!("{pod}.store.alice.svc.cluster.local"),
                addresses: vec!["10.0.0.2".into()],
            }],
            start: None,
            pod: None,
            errors: vec![],
        }),
        name_error: None,
        log: Reading::NotAsked,
        load: Reading::NotAsked,
        takeover: Reading::NotAsked,
    }
}

/// Evidence of a run over so many pods in which all went well.
pub fn healthy(replicas: usize) -> Evidence {
    let planned: Vec<String> = (0..replicas).rev().map(|number| format!("store-{number}")).collect();
    Evidence {
        run: "0123abcd".parse().unwrap(),
        set: SetSeen { name: "store".into(), uid: "set".into() },
        how: How::Delete,
        node: None,
        data: DataAsked::Output { write: Some("SET".into()), read: "GET".into() },
        turns: planned.iter().map(|pod| turn(pod)).collect(),
        planned,
    }
}

pub fn claim(claimed: &mut Claimed) -> &mut ClaimSeen {
    match &mut claimed.claim {
        Reading::Present(claim) => claim,
        _ => panic!("it is there"),
    }
}

pub fn data(turn: &mut Turn) -> &mut Output {
    match &mut after(turn).data {
        Data::Output(Reading::Present(data)) => data,
        _ => panic!("it was read"),
    }
}

/// The evidence without commands that write and read.
pub fn without_data(mut evidence: Evidence) -> Evidence {
    evidence.data = DataAsked::None;
    for turn in &mut evidence.turns {
        turn.before.data = Data::None;
        after(turn).data = Data::None;
    }
    evidence
}

fn words(evidence: &Evidence) -> String {
    judge(evidence).words()
}

#[test]
fn healthy_evidence_holds() {
    for replicas in [1, 3] {
        let judged = judge(&healthy(replicas));
        assert_eq!((judged.holds, judged.words().as_str()), (Holds::Yes, "holds"), "{judged:#?}");
        assert_eq!(judged.pods.len(), replicas);
    }
    let judged = judge(&healthy(0));
    assert_eq!(judged.holds, Holds::Unknown, "nothing proves nothing: {judged:#?}");
}

/// The healthy evidence with one fault in its second pod, and the check that finds it.
fn finds(name: &str, holds: Holds, fault: impl FnOnce(&mut Turn)) {
    let mut evidence = healthy(3);
    fault(&mut evidence.turns[1]);
    let judged = judge(&evidence);
    assert_eq!(judged.holds, holds, "{judged:#?}");
    assert_eq!(judged.words(), holds.to_string());
    let against = judged.against();
    assert!(
        against.iter().any(|(pod, check)| *pod == Some("store-1") && check.name.words() == name),
        "{name}: {judged:#?}"
    );
}

#[test]
fn each_fault_is_found_by_its_check() {
    use Holds::{No, Unknown};
    let failed = || Reason::Failed("x".into());
    finds("same name", No, |turn| after(turn).pod.name = "store-7".into());
    finds("new pod", No, |turn| after(turn).pod.uid = turn.before.pod.uid.clone());
    finds("new pod", No, |turn| after(turn).pod.uid = "third".into());
    finds("same owner", No, |turn| after(turn).pod.owner = Some("somebody".into()));
    finds("same owner", No, |turn| {
        turn.before.pod.owner = Some("somebody".into());
        after(turn).pod.owner = Some("somebody".into());
    });
    finds("same owner", Unknown, |turn| after(turn).pod.owner = None);
    finds("same claim", No, |turn| claim(&mut after(turn).claims[1]).uid = "another".into());
    finds("same claim", No, |turn| after(turn).claims[0].claim = Reading::Absent);
    finds("same claim", Unknown, |turn| after(turn).claims[0].claim = Reading::Unknown(failed()));
    finds("same claim", No, |turn| drop(after(turn).claims.pop()));
    finds("same claim", No, |turn| after(turn).claims.clear());
    finds("same claim", No, |turn| drop(turn.before.claims.pop()));
    finds("same volume", No, |turn| claim(&mut after(turn).claims[0]).volume = Some("another".into()));
    finds("same volume", No, |turn| after(turn).claims[1].volume = Reading::Present("another".into()));
    finds("same address by name", No, |turn| {
        let Reading::Present(name) = &mut turn.name else { panic!("it was asked") };
        name.names[0].addresses = vec!["10.0.0.2".into(), "10.0.0.1".into()];
    });
    finds("same address by name", No, |turn| {
        let Reading::Present(name) = &mut turn.name else { panic!("it was asked") };
        name.names[0].addresses.clear();
    });
    finds("one server at a time", No, |turn| {
        turn.timeline.old_ended_at = Some("2026-11-24T02:00:06Z".parse().unwrap());
    });
    finds("one server at a time", Unknown, |turn| turn.timeline.old_ended_at = None);
    finds("same data", No, |turn| *data(turn) = output("PING\n"));
    finds("same data", No, |turn| *data(turn) = output(""));
    finds("same data", No, |turn| data(turn).code = 1);
    finds("same data", Unknown, |turn| after(turn).data = Data::Output(Reading::Unknown(failed())));
    finds("same data", Unknown, |turn| after(turn).data = Data::None);
    finds("same data", Unknown, |turn| {
        turn.before.data = Data::None;
        after(turn).data = Data::None;
    });
    finds("same data", Unknown, |turn| {
        turn.before.data = Data::Output(Reading::Present(output("")));
        after(turn).data = Data::Output(Reading::Present(output("")));
    });
    finds("came back", No, |turn| turn.after = Reading::Absent);
    finds("came back", Unknown, |turn| turn.after = Reading::Unknown(failed()));
}

#[test]
fn a_pod_that_was_not_taken_away_is_missed() {
    let mut evidence = healthy(3);
    evidence.turns.pop();
    let judged = judge(&evidence);
    assert_eq!(judged.holds, Holds::Unknown);
    assert_eq!(judged.against()[0].1.evidence, "2 of 3 were deleted");
    let mut evidence = healthy(3);
    evidence.turns.swap(0, 1);
    assert_eq!(judge(&evidence).holds, Holds::No);
}

#[test]
fn what_was_not_asked_is_left_open_by_name() {
    let asked = healthy(2);
    let open = |change: &dyn Fn(&mut Turn), mut evidence: Evidence| {
        evidence.turns.iter_mut().for_each(change);
        let judged = judge(&evidence);
        assert_eq!(judged.holds, Holds::Yes, "{judged:#?}");
        words(&evidence)
    };
    let unasked = |turn: &mut Turn| turn.name = Reading::Unknown(Reason::Failed("no bridge".into()));
    let unclaimed = |turn: &mut Turn| {
        turn.before.claims.clear();
        after(turn).claims.clear();
    };
    assert_eq!(open(&|_| {}, without_data(asked.clone())), "identity holds, data not checked");
    assert_eq!(open(&unclaimed, without_data(asked.clone())), "identity holds, data not on a claim");
    assert_eq!(open(&unclaimed, asked.clone()), "identity and data hold, data not on a claim");
    assert_eq!(open(&unasked, asked.clone()), "identity and data hold, DNS not checked");
    assert_eq!(open(&unasked, without_data(asked.clone())), "identity holds, data not checked, DNS not checked");
    let forced = Evidence { how: How::Force, ..asked };
    let unseen = |turn: &mut Turn| turn.timeline.old_ended_at = None;
    assert_eq!(open(&|_| {}, forced.clone()), "holds");
    assert_eq!(open(&unseen, forced), "identity and data hold, one server at a time not shown");
    assert_eq!(judge(&without_data(healthy(1))).open(), [Open::Data].into());
}

#[test]
fn volumes_that_may_not_be_read_are_judged_by_their_claims() {
    let mut evidence = healthy(1);
    evidence.turns[0].before.claims[0].volume = Reading::Unknown(Reason::Forbidden("no".into()));
    let judged = judge(&evidence);
    assert_eq!(judged.holds, Holds::Yes);
    let said = &judged.pods[0].checks.iter().find(|check| check.name == CheckName::SameVolume).unwrap().evidence;
    assert!(said.contains("spec.volumeName"), "{said}");
}

/// A report of a run with such evidence.
pub fn report(evidence: Evidence) -> Report {
    Report { about: about(), evidence, contrast: Reading::NotAsked }
}

#[test]
fn a_report_is_read_back() {
    let mut report = report(healthy(2));
    report.about.context = "c\u{1b}[31m".into();
    let text = report.text().unwrap();
    assert!(!text.contains('\u{1b}'), "harmless to a terminal");
    assert_eq!(Report::parse(&text).unwrap(), report);
    let nothing = self::report(Evidence { turns: vec![], ..report.evidence.clone() }).text().unwrap();
    for wrong in ["", "{}", "[1]", &text.replace("v1alpha1", "v9"), &text.replace("\"owner\"", "\"other\""), &nothing] {
        let is_sound = Report::parse(wrong).is_ok_and(|report| report.judge().holds == Holds::Yes);
        assert!(!is_sound, "{wrong}");
    }
}

#[test]
fn it_can_say_no() {
    let without_claims = |mut evidence: Evidence| {
        evidence.turns.iter_mut().for_each(|turn| {
            turn.before.claims.clear();
            after(turn).claims.clear();
        });
        evidence
    };
    for (evidence, what) in [
        (healthy(2), "uid of pvc/data-store-1"),
        (without_claims(healthy(1)), "other data in pod/store-0"),
        (without_data(without_claims(healthy(1))), "another name of pod/store-0"),
    ] {
        let (other, said) = with_something_changed(&evidence).unwrap();
        assert!(said.contains(what), "{said}");
        assert_eq!(judge(&other).holds, Holds::No, "{said}");
    }
    let mut lost = healthy(1);
    lost.turns[0].after = Reading::Absent;
    assert_eq!(with_something_changed(&lost), None);
}

proptest! {
    #[test]
    fn no_evidence_with_a_changed_identity_or_data_holds(
        replicas in 1..5_usize,
        at in any::<prop::sample::Index>(),
        which in 0..2_usize,
        fate in 0..9_u8,
        other in "[a-z0-9-]{0,12}",
        how in prop::sample::select(vec![How::Delete, How::Kill, How::Evict, How::Force]),
    ) {
        let mut evidence = Evidence { how, ..healthy(replicas) };
        let turn = &mut evidence.turns[at.index(replicas)];
        let now = after(turn);
        match fate {
            0 => claim(&mut now.claims[which]).uid = other,
            1 => claim(&mut now.claims[which]).volume = Some(other),
            2 => now.claims[which].name = other,
            3 => now.claims[which].volume = Reading::Present(other),
            4 => now.pod.name = format!("another-{other}"),
            5 => now.pod.owner = Some(format!("another-{other}")),
            6 => data(turn).sha256 = other,
            7 => *data(turn) = output(&other),
            _ => now.pod.uid = other,
        }
        prop_assert_eq!(judge(&evidence).holds, Holds::No);
    }

    #[test]
    fn no_evidence_holds_whose_data_was_to_be_read_and_was_not(replicas in 1..4_usize, at in any::<prop::sample::Index>(), fate in 0..3_u8) {
        let mut evidence = healthy(replicas);
        let turn = &mut evidence.turns[at.index(replicas)];
        match fate {
            0 => after(turn).data = Data::None,
            1 => after(turn).data = Data::Output(Reading::Absent),
            _ => turn.before.data = Data::Output(Reading::Unknown(Reason::Failed("x".into()))),
        }
        prop_assert_eq!(judge(&evidence).holds, Holds::Unknown);
    }
}
