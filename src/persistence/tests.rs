//! The judgement, held against every way in which evidence can be bad.

use proptest::prelude::*;

use super::How;
use super::about::About;
use super::evidence::{Cycle, Moment, NameAnswer};
use super::identity::{ClaimSeen, Identity, PodSeen, Server};
use super::load::{self, FIRST, Load};
use super::report::Report;
use super::rows::{Row, Run};
use super::setting::{Image, Machine, Setting};
use super::timeline::{Change, Kind, Timeline, step};
use super::verdict::{Check, Holds, Verdict, judge};
use crate::observe::{Reading, Reason};

fn server(start: &str, wal_bytes: u64) -> Server {
    Server {
        system: "7400000000000000001".into(),
        timeline: 1,
        started_at: "2026-11-24T02:00:00Z".parse().unwrap(),
        start: start.into(),
        wal: format!("0/{wal_bytes:X}"),
        wal_bytes,
        directory: "/var/lib/postgresql/data/pgdata".into(),
        inode: "12".into(),
        device: "64512".into(),
        lock: "/var/lib/postgresql/data/postgres.lock".into(),
        version: "17.2".into(),
        settings: [("fsync".to_owned(), "on".to_owned())].into(),
    }
}

fn row(id: &str) -> Row {
    Row { id: id.into(), sum: format!("sum of {id}"), balance: "1000.00".into(), updated: "2026-11-24 01:00:00".into() }
}

/// Evidence of a replacement in which all went well, with that many rows of the user and of the run.
pub fn healthy(yours: usize, marked: usize) -> Cycle {
    let run: Run = "0123abcd".parse().unwrap();
    let pod = |uid: &str, address: &str| PodSeen {
        name: "postgres-0".into(),
        uid: uid.into(),
        owner: Some("set".into()),
        addresses: vec![address.into()],
        node: Some("node-1".into()),
        container: Some(format!("container of {uid}")),
        started_at: Some("2026-11-24T02:00:05Z".parse().unwrap()),
        ready: true,
        ..PodSeen::default()
    };
    let claim = ClaimSeen { name: "postgres-pvc".into(), uid: "claim".into(), volume: Some("pv".into()), class: None };
    let rows = (0..yours)
        .map(|n| row(&format!("user-{n:03}")))
        .chain((0..marked).map(|n| row(&format!("{}{n:06}", run.mark()))));
    let rows: Vec<Row> = rows.collect();
    let moment = |pod: PodSeen, server: Server| Moment {
        identity: Identity {
            pod,
            claim: Reading::Present(claim.clone()),
            volume: Reading::Present("volume".into()),
            server,
        },
        rows: Reading::Present(rows.clone()),
    };
    let (old, new) = (pod("old", "10.0.0.1"), pod("new", "10.0.0.2"));
    let ended = PodSeen { container: None, ended_at: Some("2026-11-24T02:00:03Z".parse().unwrap()), ..old.clone() };
    let changes = [
        (1, Change::Asked),
        (9, Change::Pod(Some(Box::new(ended)))),
        (10, Change::Pod(None)),
        (20, Change::Pod(Some(Box::new(new.clone())))),
        (30, Change::Answered),
        (40, Change::AnsweredByName(vec!["10.0.0.2".into()])),
    ];
    let timeline = Timeline::new(How::Delete, old.clone());
    Cycle {
        run,
        how: How::Delete,
        asked_at: "2026-11-24T02:00:01Z".parse().unwrap(),
        marked: marked.try_into().unwrap(),
        before: moment(old, server("1.5", 100)),
        after: Reading::Present(moment(new, server("2.5", 200))),
        timeline: changes.into_iter().fold(timeline, |timeline, (at, change)| step(timeline, change, at)),
        log: Reading::Present(vec!["LOG:  database system was shut down at 2026-11-24 02:00:03 UTC".into()]),
        load: Reading::NotAsked,
        max_gap_ms: None,
        name_error: Some("connection refused".into()),
        name: Reading::Present(NameAnswer {
            from: "backend-1".into(),
            name: "postgres-headless".into(),
            addresses: vec!["10.0.0.2".into()],
            pod_name: "postgres-0.postgres-headless".into(),
            pod_addresses: vec!["10.0.0.2".into()],
            start: "2.5".into(),
            errors: vec![],
        }),
    }
}

/// What a report of a run says beside its evidence.
pub fn about() -> About {
    let machine = Machine {
        kubelet: "v1.37.2".into(),
        kernel: "6.18.0".into(),
        system: "Debian GNU/Linux 12".into(),
        architecture: "amd64".into(),
        runtime: "containerd://2.4.2".into(),
    };
    let image = Image { pod: "postgres-0".into(), name: "postgres:17".into(), digest: "postgres@sha256:0123".into() };
    About {
        at: "2026-11-24T02:00:09Z".parse().unwrap(),
        asked: "kubectl kubecoin persistence-demo -n alice".into(),
        context: "lesson".into(),
        address: "https://198.18.77.1:6443".into(),
        namespace: "alice".into(),
        setting: Setting {
            plugin: "0.1.0".into(),
            server: Reading::Present("v1.37.2".into()),
            nodes: [("node-1".to_owned(), Reading::Present(machine))].into(),
            class: Reading::Absent,
            images: Reading::Present(vec![image]),
        },
        by_hand: vec!["kubectl -n alice delete pod postgres-0".into()],
    }
}

/// A report of such a replacement.
pub fn report() -> Report {
    Report { about: about(), cycles: vec![healthy(3, 5)], contrast: Reading::NotAsked }
}

fn after(cycle: &mut Cycle) -> &mut Moment {
    match &mut cycle.after {
        Reading::Present(after) => after,
        _ => panic!("it came back"),
    }
}

fn rows(cycle: &mut Cycle) -> &mut Vec<Row> {
    match &mut after(cycle).rows {
        Reading::Present(rows) => rows,
        _ => panic!("there are rows"),
    }
}

/// The healthy evidence with one fault, and the check that finds it.
fn finds(name: &str, holds: Holds, fault: impl FnOnce(&mut Cycle)) {
    let mut cycle = healthy(3, 5);
    fault(&mut cycle);
    let verdict = judge(&cycle);
    assert_eq!(verdict.holds, holds, "{verdict:#?}");
    assert!(verdict.against().iter().any(|check| check.name == name), "{name}: {verdict:#?}");
}

#[test]
fn healthy_evidence_holds() {
    for (yours, marked) in [(0, 0), (0, 100), (3, 100)] {
        let verdict = judge(&healthy(yours, marked));
        assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    }
    let verdict = judge(&healthy(3, 1));
    let yours = verdict.checks.iter().find(|check| check.name == "your rows").unwrap();
    assert!(yours.evidence.starts_with("your 3 wallets are unchanged (user-000 1000.00"), "{yours:?}");
}

#[test]
fn evidence_survives_its_own_json() {
    let cycle = healthy(3, 5);
    let json = serde_json::to_string(&cycle).unwrap();
    assert_eq!(serde_json::from_str::<Cycle>(&json).unwrap(), cycle);
}

#[test]
fn each_fault_is_found_by_its_check() {
    use Holds::{No, Unknown};
    finds("new pod", No, |cycle| after(cycle).identity.pod.uid = "old".into());
    finds("new pod", No, |cycle| after(cycle).identity.pod.uid = "third".into());
    finds("same owner", No, |cycle| after(cycle).identity.pod.owner = Some("somebody".into()));
    finds("same owner", Unknown, |cycle| after(cycle).identity.pod.owner = None);
    finds("new server", No, |cycle| after(cycle).identity.server.start = "1.5".into());
    finds("same claim", No, |cycle| after(cycle).identity.claim = Reading::Absent);
    finds("same claim", Unknown, |cycle| after(cycle).identity.claim = Reading::NotAsked);
    finds("same volume", No, |cycle| after(cycle).identity.volume = Reading::Present("other".into()));
    finds("same database", No, |cycle| after(cycle).identity.server.system = "1".into());
    finds("same database", Unknown, |cycle| after(cycle).identity.server.system = String::new());
    finds("same directory", No, |cycle| after(cycle).identity.server.inode = "13".into());
    finds("same directory", No, |cycle| after(cycle).identity.server.directory = "/tmp".into());
    finds("your rows", No, |cycle| drop(rows(cycle).remove(0)));
    finds("your rows", No, |cycle| rows(cycle)[1].sum = "other".into());
    finds("your rows", No, |cycle| after(cycle).rows = Reading::Absent);
    finds("your rows", Unknown, |cycle| after(cycle).rows = Reading::Unknown(Reason::Failed("x".into())));
    finds("marked rows", No, |cycle| drop(rows(cycle).pop()));
    finds("marked rows", No, |cycle| cycle.marked = 6);
    finds("same address by name", No, |cycle| cycle.name = Reading::Absent);
    finds("same address by name", Unknown, |cycle| cycle.name = Reading::NotAsked);
    finds("one server at a time", No, |cycle| {
        cycle.timeline.old_ended_at = Some("2026-11-24T02:00:06Z".parse().unwrap());
    });
    finds("one server at a time", Unknown, |cycle| {
        cycle.timeline.old_ended_at = None;
        after(cycle).identity.server.lock = String::new();
    });
    finds("start", No, |cycle| cycle.log = Reading::Present(vec!["PostgreSQL init process complete".into()]));
    finds("start", Unknown, |cycle| cycle.log = Reading::Unknown(Reason::Forbidden("no".into())));
    finds("log goes on", No, |cycle| after(cycle).identity.server.wal_bytes = 99);
    finds("came back", No, |cycle| cycle.after = Reading::Absent);
    finds("came back", Unknown, |cycle| cycle.after = Reading::Unknown(Reason::Failed("x".into())));
}

#[test]
fn a_name_that_leads_elsewhere_is_found() {
    for change in [
        |name: &mut NameAnswer| name.addresses = vec!["10.0.0.1".into()],
        |name: &mut NameAnswer| name.addresses = vec!["10.0.0.2".into(), "10.0.0.1".into()],
        |name: &mut NameAnswer| name.pod_addresses = vec![],
        |name: &mut NameAnswer| name.start = "1.5".into(),
    ] {
        finds("same address by name", Holds::No, |cycle| {
            let Reading::Present(name) = &mut cycle.name else { panic!("it was asked") };
            change(name);
        });
    }
}

#[test]
fn what_is_told_and_not_judged() {
    let mut cycle = healthy(3, 5);
    after(&mut cycle).identity.server.device = "another".into();
    after(&mut cycle).identity.server.settings.insert("synchronous_commit".into(), "off".into());
    after(&mut cycle).identity.volume = Reading::Unknown(Reason::Forbidden("no".into()));
    rows(&mut cycle)[0] = Row { sum: "new".into(), updated: "2026-11-24 02:00:00".into(), ..row("user-000") };
    rows(&mut cycle).push(row("user-new"));
    // Of another run, which has gone on meanwhile.
    let Reading::Present(before) = &mut cycle.before.rows else { panic!("there are rows") };
    before.push(row("kubecoin-demo-76543210-000001"));
    rows(&mut cycle).push(row("kubecoin-demo-76543210-200001"));
    let verdict = judge(&cycle);
    assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    let said = verdict.checks.iter().map(|check| check.evidence.clone()).collect::<Vec<_>>().join("\n");
    for words in [
        "64512 → another",
        "synchronous_commit is off",
        "spec.volumeName",
        "changed meanwhile",
        "1 new meanwhile (user-new)",
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}

#[test]
fn a_crash_keeps_the_pod_and_counts_one_restart() {
    let crashed = |restarts| {
        let mut cycle = healthy(1, 1);
        cycle.how = How::Crash;
        let old = cycle.before.identity.pod.clone();
        after(&mut cycle).identity.pod = PodSeen { restarts, ..old };
        if let Reading::Present(name) = &mut cycle.name {
            name.addresses = vec!["10.0.0.1".into()];
            name.pod_addresses = vec!["10.0.0.1".into()];
        }
        judge(&cycle)
    };
    assert_eq!(crashed(1).holds, Holds::Yes, "{:#?}", crashed(1));
    assert_eq!((crashed(0).holds, crashed(2).holds), (Holds::No, Holds::No));
}

/// Healthy evidence with a writer, whose rows with these numbers after the first were not acknowledged.
fn under_load(count: u32, unacknowledged: &[u32]) -> Cycle {
    let mut cycle = healthy(2, 3);
    let mark = cycle.run.mark();
    let numbers = || FIRST..FIRST + count;
    let written: Vec<Row> = numbers().map(|number| row(&format!("{mark}{number:06}"))).collect();
    let acknowledged = numbers().zip(&written).filter(|(number, _)| !unacknowledged.contains(&(number - FIRST)));
    cycle.load = Reading::Present(Load {
        from: "backend-1".into(),
        first: FIRST,
        last: FIRST + count - 1,
        acknowledged: acknowledged.map(|(number, row)| (number, row.sum.clone())).collect(),
        errors: vec!["connection refused".into()],
        gap_ms: 1500,
        servers: 2,
        by_last: 1,
    });
    rows(&mut cycle).extend(written);
    cycle
}

#[test]
fn what_was_not_acknowledged_may_be_either() {
    let mut cycle = under_load(20, &[7]);
    assert_eq!(judge(&cycle).holds, Holds::Yes, "{:#?}", judge(&cycle));
    let id = format!("{}{:06}", cycle.run.mark(), FIRST + 7);
    rows(&mut cycle).retain(|row| row.id != id);
    assert_eq!(judge(&cycle).holds, Holds::Yes);
    cycle.max_gap_ms = Some(1500);
    assert_eq!(judge(&cycle).holds, Holds::Yes);
    cycle.max_gap_ms = Some(1499);
    assert_eq!(judge(&cycle).holds, Holds::No);
    cycle.max_gap_ms = None;
    let Reading::Present(load) = &mut cycle.load else { panic!("there is a writer") };
    load.servers = 1;
    assert_eq!(judge(&cycle).holds, Holds::Unknown, "a writer that met one server alone shows nothing");
    cycle.load = Reading::Unknown(Reason::Failed("x".into()));
    assert_eq!(judge(&cycle).holds, Holds::Unknown);
}

#[test]
fn two_nodes_have_two_clocks() {
    let elsewhere = |ended_before_started: bool, lock: &str| {
        let mut cycle = healthy(3, 5);
        cycle.timeline.old.node = Some("node-2".into());
        // By its own node's clock.
        cycle.timeline.old_ended_at = Some("2026-11-24T02:00:06Z".parse().unwrap());
        if !ended_before_started {
            cycle.timeline.events.sort_by_key(|event| event.kind == Kind::Ended);
        }
        after(&mut cycle).identity.server.lock = lock.into();
        judge(&cycle).checks.into_iter().find(|check| check.name == "one server at a time").unwrap().holds
    };
    assert_eq!(elsewhere(true, ""), Holds::Yes, "the order in which it was seen counts");
    assert_eq!(elsewhere(false, ""), Holds::Unknown);
    assert_eq!(elsewhere(false, "/lock"), Holds::Yes);
}

#[test]
fn a_gap_without_an_end_is_not_known_unless_it_is_too_long() {
    let mut cycle = under_load(20, &[]);
    let Reading::Present(load) = &mut cycle.load else { panic!("there is a writer") };
    load.by_last = 0;
    let of = |cycle: &Cycle| -> Vec<(String, Holds)> {
        judge(cycle).against().into_iter().map(|check| (check.name.clone(), check.holds)).collect()
    };
    let [rows, gap] = ["rows under load", "gap under load"].map(str::to_owned);
    assert_eq!(of(&cycle), [(rows, Holds::Unknown), (gap.clone(), Holds::Unknown)]);
    cycle.max_gap_ms = Some(1499);
    assert_eq!(of(&cycle), [(gap, Holds::No)]);
}

#[test]
fn rows_of_an_earlier_writer_stay() {
    let mut cycle = under_load(20, &[7]);
    // The second replacement of a run: what there is of the first one's writer was read before.
    let number = |row: &Row| load::number(&cycle.run, &row.id);
    let earlier: Vec<Row> =
        rows(&mut cycle.clone()).iter().filter(|row| number(row).is_some_and(|it| it < FIRST + 5)).cloned().collect();
    let Reading::Present(load) = &mut cycle.load else { panic!("there is a writer") };
    load.first = FIRST + 5;
    load.acknowledged.retain(|(number, _)| *number >= FIRST + 5);
    let Reading::Present(before) = &mut cycle.before.rows else { panic!("there are rows") };
    before.extend(earlier);
    assert_eq!(judge(&cycle).holds, Holds::Yes, "{:#?}", judge(&cycle));
    let of_earlier = format!("{}{:06}", cycle.run.mark(), FIRST + 3);
    let at = rows(&mut cycle).iter().position(|row| row.id == of_earlier).unwrap();
    let mut altered = cycle.clone();
    rows(&mut altered)[at].sum = "altered".into();
    assert_eq!(judge(&altered).holds, Holds::No);
    rows(&mut cycle).remove(at);
    assert!(
        judge(&cycle).checks.iter().any(|check| check.evidence.contains("1 acknowledged, but lost (200004)")),
        "{:#?}",
        judge(&cycle)
    );
}

fn verdict_of(checks: &[(&str, Holds)]) -> Verdict {
    let check = |(name, holds): &(&str, Holds)| Check { name: (*name).into(), holds: *holds, evidence: "why".into() };
    Verdict::of(checks.iter().map(check).collect())
}

#[test]
fn rows_that_went_with_the_data_are_not_what_matters() {
    use Holds::{No, Unknown, Yes};
    for (checks, foremost) in [
        ([("your rows", No), ("marked rows", No), ("log goes on", No)], Some("log goes on")),
        ([("your rows", No), ("start", No), ("log goes on", Yes)], Some("start")),
        ([("your rows", No), ("start", Unknown), ("log goes on", Yes)], Some("your rows")),
        ([("same address by name", Unknown), ("start", Unknown), ("wal", Yes)], Some("same address by name")),
        ([("your rows", Yes), ("start", Yes), ("log goes on", Yes)], None),
    ] {
        assert_eq!(verdict_of(&checks).foremost().map(|check| check.name.as_str()), foremost, "{checks:?}");
    }
}

#[test]
fn several_checks_that_fail_are_counted_and_the_most_important_one_is_named() {
    use Holds::{No, Unknown, Yes};
    for (checks, conclusion) in [
        (vec![("start", No), ("log goes on", Yes)], "start: why"),
        (vec![("your rows", No), ("start", No), ("log goes on", Unknown)], "2 of 3 checks failed; first: start: why"),
        (vec![("a", Unknown), ("b", Yes), ("c", Unknown)], "2 of 3 checks could not be made; first: a: why"),
        (vec![("your rows", Yes)], "why"),
    ] {
        assert_eq!(verdict_of(&checks).conclusion(), conclusion);
    }
}

proptest! {
    #[test]
    fn no_evidence_with_a_lost_or_altered_acknowledged_row_holds(count in 2..60_u32, at in any::<prop::sample::Index>(), fate in 0..4_u8) {
        let mut cycle = under_load(count, &[0]);
        let mark = cycle.run.mark();
        let of_writer = format!("{mark}{:06}", FIRST + 1 + u32::try_from(at.index(count as usize - 1)).unwrap());
        let rows = rows(&mut cycle);
        let at = rows.iter().position(|row| row.id == of_writer).unwrap();
        match fate {
            0 => drop(rows.remove(at)),
            1 => rows[at].sum = "altered".into(),
            2 => rows.push(rows[at].clone()),
            _ => rows.push(row(&format!("{mark}{:06}", FIRST + count))),
        }
        prop_assert_eq!(judge(&cycle).holds, Holds::No);
    }

    #[test]
    fn no_evidence_with_a_lost_or_altered_marked_row_holds(yours in 0..5_usize, marked in 1..40_usize, at in any::<prop::sample::Index>(),
                                                           fate in 0..4_u8, later in any::<bool>()) {
        let mut cycle = healthy(yours, marked);
        let mark = cycle.run.mark();
        let rows = rows(&mut cycle);
        let at = yours + at.index(marked);
        match fate {
            0 => drop(rows.remove(at)),
            1 => rows[at].sum = "altered".into(),
            2 => rows.push(rows[at].clone()),
            _ => rows.push(row(&format!("{mark}unknown"))),
        }
        if later && fate == 1 {
            rows[at].updated = "2026-11-24 09:00:00".into();
        }
        prop_assert_eq!(judge(&cycle).holds, Holds::No);
    }

    #[test]
    fn no_evidence_with_a_lost_row_of_the_user_holds(yours in 1..20_usize, marked in 0..5_usize, at in any::<prop::sample::Index>(), altered: bool) {
        let mut cycle = healthy(yours, marked);
        let at = at.index(yours);
        if altered {
            rows(&mut cycle)[at].sum = "altered".into();
        } else {
            rows(&mut cycle).remove(at);
        }
        prop_assert_eq!(judge(&cycle).holds, Holds::No);
    }

    #[test]
    fn changes_in_any_order_keep_the_times_in_order(changes in prop::collection::vec(0..9_u8, 0..40)) {
        let old = healthy(0, 0).before.identity.pod;
        let pod = |uid: &str, container: bool, ready: bool| Change::Pod(Some(Box::new(PodSeen {
            uid: uid.into(), container: container.then(|| "c".to_owned()), ready, ..PodSeen::default()
        })));
        let mut timeline = Timeline::new(How::Delete, old);
        for (at, change) in (0..).zip(changes) {
            timeline = step(timeline, match change {
                0 => Change::Asked,
                1 => Change::Acknowledged(1),
                2 => Change::Pod(None),
                3 => pod("old", true, true),
                4 => pod("new", false, false),
                5 => pod("new", true, true),
                6 => Change::Answered,
                7 => Change::Lost("x".into()),
                _ => pod("third", true, false),
            }, at);
        }
        prop_assert!(timeline.events.is_sorted_by_key(|event| event.at_ms));
        let count = |kind| timeline.events.iter().filter(|event| event.kind == kind).count();
        for kind in [Kind::Asked, Kind::Gone, Kind::Created, Kind::Ready, Kind::Answered] {
            prop_assert!(count(kind) <= 1);
        }
    }
}
