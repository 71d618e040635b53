//! The judgement on a replicated database, held against every way in which its evidence can be bad.

use super::{after, database, healthy, row, server};
use crate::observe::{Reading, Reason};
use crate::persistence::How;
use crate::persistence::evidence::{DataAsked, Database, Evidence, NameAnswer, Resolved, Takeover, Turn};
use crate::persistence::identity::{PodSeen, Server};
use crate::persistence::timeline::{Change, Kind, Timeline, step};
use crate::persistence::verdict::{CheckName, Holds, Verdict, judge};

/// Evidence of a primary that was deleted, of which postgres-1 took the place.
pub fn taken_over() -> Evidence {
    let mut evidence = healthy(3, 5);
    if let DataAsked::Postgres { is_replicated, .. } = &mut evidence.data {
        *is_replicated = true;
    }
    let turn = &mut evidence.turns[0];
    let history = "1\t0/80\tno recovery target specified\n".to_owned();
    let primary = Server { timeline: 2, history: history.clone(), ..server("9.5", 200) };
    let rows = turn.before.data.database().unwrap().rows.clone();
    let own = Resolved { name: "postgres-0.postgres-headless".into(), addresses: vec!["10.0.0.2".into()] };
    turn.takeover = Reading::Present(Takeover {
        pod: "postgres-1".into(),
        database: Database { server: primary, rows },
        name: Reading::Present(own),
    });
    let member = &mut database(after(turn)).server;
    *member = Server { timeline: 2, history, is_standby: true, ..member.clone() };
    turn.name = Reading::Present(NameAnswer {
        from: "backend-1".into(),
        names: vec![Resolved { name: "postgres-primary".into(), addresses: vec!["10.96.0.9".into()] }],
        start: Some("9.5".into()),
        pod: Some("postgres-1".into()),
        errors: vec![],
    });
    turn.log = Reading::NotAsked;
    evidence
}

fn takeover(turn: &mut Turn) -> &mut Takeover {
    match &mut turn.takeover {
        Reading::Present(takeover) => takeover,
        _ => panic!("one took over"),
    }
}

fn member(turn: &mut Turn) -> &mut Server {
    &mut database(after(turn)).server
}

fn finds(name: CheckName, holds: Holds, fault: impl FnOnce(&mut Turn)) {
    let mut evidence = taken_over();
    fault(&mut evidence.turns[0]);
    let verdict = judge(&evidence);
    assert_eq!(verdict.holds, holds, "{verdict:#?}");
    assert!(verdict.against().iter().any(|(_, check)| check.name == name), "{name}: {verdict:#?}");
}

#[test]
fn a_member_that_took_over_with_every_row_holds() {
    let verdict = judge(&taken_over());
    assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    let says = "pod/postgres-1 instead of pod/postgres-0, on timeline 2: it left timeline 1 at 0/80";
    assert_eq!(verdict.conclusion(), says);
    let json = serde_json::to_string(&taken_over()).unwrap();
    assert_eq!(serde_json::from_str::<Evidence>(&json).unwrap(), taken_over());
}

#[test]
fn each_fault_of_a_takeover_is_found_by_its_check() {
    use CheckName::{AddressByName, Follows, LogGoesOn, MarkedRows, SameClaim, SameDatabase, TookOver, YourRows};
    use Holds::{No, Unknown};
    let unknown = || Reading::Unknown(Reason::Failed("x".into()));
    finds(TookOver, No, |turn| turn.takeover = Reading::Absent);
    finds(TookOver, Unknown, |turn| turn.takeover = Reading::Unknown(Reason::Failed("x".into())));
    finds(TookOver, No, |turn| takeover(turn).database.server.is_standby = true);
    finds(TookOver, No, |turn| takeover(turn).database.server.history.clear());
    finds(TookOver, No, |turn| takeover(turn).database.server.history = "1\t0/50\tno\n".into());
    finds(LogGoesOn, No, |turn| takeover(turn).database.server.timeline = 0);
    finds(SameDatabase, No, |turn| takeover(turn).database.server.system = "1".into());
    finds(Follows, No, |turn| member(turn).is_standby = false);
    finds(Follows, No, |turn| member(turn).timeline = 1);
    finds(Follows, No, |turn| member(turn).wal_bytes = 199);
    finds(Follows, No, |turn| member(turn).system = "1".into());
    finds(Follows, No, |turn| {
        let Reading::Present(rows) = &mut database(after(turn)).rows else { panic!("there are rows") };
        rows.pop();
    });
    finds(Follows, Unknown, |turn| database(after(turn)).rows = unknown());
    finds(SameClaim, No, |turn| after(turn).claims.clear());
    finds(YourRows, No, |turn| takeover(turn).database.rows = Reading::Present(vec![row("user-000")]));
    finds(MarkedRows, No, |turn| takeover(turn).database.rows = Reading::Present(vec![row("user-000")]));
    finds(AddressByName, No, |turn| takeover(turn).database.server.start = "8.5".into());
    finds(AddressByName, No, |turn| {
        takeover(turn).name =
            Reading::Present(Resolved { name: "postgres-0.x".into(), addresses: vec!["10.0.0.1".into()] });
    });
    finds(AddressByName, Unknown, |turn| takeover(turn).name = Reading::NotAsked);
    finds(AddressByName, No, |turn| turn.name = Reading::Absent);
}

/// A primary that is killed may be back before its claim to be one is over: then it goes on.
#[test]
fn a_primary_that_stays_the_primary_holds() {
    let mut evidence = taken_over();
    let turn = &mut evidence.turns[0];
    let server = Server { timeline: 1, history: String::new(), is_standby: false, ..member(turn).clone() };
    *member(turn) = server.clone();
    let start = server.start.clone();
    takeover(turn).pod = "postgres-0".into();
    takeover(turn).database.server = server;
    if let Reading::Present(name) = &mut turn.name {
        (name.start, name.pod) = (Some(start), Some("postgres-0".into()));
    }
    let verdict = judge(&evidence);
    assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    assert!(verdict.conclusion().contains("no other member took over"), "{}", verdict.conclusion());
}

/// Evidence of a primary whose node was away, of which postgres-1 took the place: the same pod came back.
fn away() -> Evidence {
    let mut evidence = Evidence { how: How::Node, ..taken_over() };
    let turn = &mut evidence.turns[0];
    let old = turn.before.pod.clone();
    let new = after(turn).pod.clone();
    after(turn).pod = PodSeen { uid: old.uid.clone(), restarts: 2, ..new };
    let changes = [
        (1, Change::Asked),
        (9, Change::Acknowledged(8)),
        (20, Change::Promoted("postgres-1".into())),
        (25, Change::NodeStarted(2)),
        (
            30,
            Change::Pod(Some(Box::new(PodSeen {
                ended_at: Some("2026-11-24T02:00:03Z".parse().unwrap()),
                ..after(turn).pod.clone()
            }))),
        ),
        (40, Change::Answered),
    ];
    turn.timeline =
        changes.into_iter().fold(Timeline::new(How::Node, old), |timeline, (at, change)| step(timeline, change, at));
    evidence
}

#[test]
fn a_node_that_was_away_keeps_the_pod_unless_the_cluster_deleted_it() {
    let verdict = judge(&away());
    assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    let is_said = |verdict: &Verdict, name| verdict.pods[0].checks.iter().any(|check| check.name == name);
    assert!(is_said(&verdict, CheckName::SamePod) && !is_said(&verdict, CheckName::NewPod), "{verdict:#?}");

    let mut deleted = away();
    after(&mut deleted.turns[0]).pod.uid = "new".into();
    let verdict = judge(&deleted);
    assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    assert!(!is_said(&verdict, CheckName::SamePod) && is_said(&verdict, CheckName::NewPod), "{verdict:#?}");
}

#[test]
fn a_node_that_was_not_stopped_and_one_that_nobody_took_over_from_are_found() {
    let found = |evidence: &Evidence| -> Vec<(CheckName, String)> {
        let verdict = judge(evidence);
        verdict.against().into_iter().map(|(_, check)| (check.name, check.evidence.clone())).collect()
    };
    let mut goes_on = away();
    after(&mut goes_on.turns[0]).pod.container = Some("container of old".into());
    let [(CheckName::SamePod, why)] = &found(&goes_on)[..] else { panic!("{:?}", found(&goes_on)) };
    assert!(why.ends_with("its node was not stopped"), "{why}");

    let mut alone = away();
    let turn = &mut alone.turns[0];
    turn.timeline.events.retain(|event| event.kind != Kind::Promoted);
    takeover(turn).pod = "postgres-0".into();
    let (_, why) = found(&alone).into_iter().find(|(name, _)| *name == CheckName::TookOver).unwrap();
    assert!(why.ends_with("no other member took over while its node was away"), "{why}");

    let mut gone = away();
    gone.turns[0].after = Reading::Absent;
    gone.turns[0].timeline.last = Some(gone.turns[0].before.pod.clone());
    let [(CheckName::CameBack, why)] = &found(&gone)[..] else { panic!("{:?}", found(&gone)) };
    assert!(why.ends_with("in the container from before: was its node stopped?"), "{why}");
}

#[test]
fn a_row_that_is_missing_on_the_new_primary_is_found_again() {
    let (other, what) = crate::persistence::report::with_something_changed(&taken_over()).unwrap();
    assert_eq!(judge(&other).holds, Holds::No, "{what}");
}
