//! The judgement on the exchange, held against every way in which evidence can be bad.

pub mod replication;
pub mod sets;

use proptest::prelude::*;

use super::How;
use super::about::About;
use super::evidence::{Claimed, Data, DataAsked, Database, Evidence, Moment, NameAnswer, Resolved, SetSeen, Turn};
use super::identity::{ClaimSeen, PodSeen, Server};
use super::load::{self, FIRST, Load};
use super::report::Report;
use super::rows::{Row, Run};
use super::setting::{Image, Machine, Setting};
use super::timeline::{Change, Kind, Timeline, step};
use super::verdict::{Check, CheckName, Holds, PodVerdict, Verdict, judge};
use crate::observe::{Reading, Reason};

pub fn server(start: &str, wal_bytes: u64) -> Server {
    Server {
        system: "7400000000000000001".into(),
        timeline: 1,
        history: String::new(),
        is_standby: false,
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
pub fn healthy(yours: usize, marked: usize) -> Evidence {
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
    let claim = Claimed {
        name: "postgres-pvc".into(),
        claim: Reading::Present(ClaimSeen {
            name: "postgres-pvc".into(),
            uid: "claim".into(),
            volume: Some("pv".into()),
            class: None,
        }),
        volume: Reading::Present("volume".into()),
    };
    let rows = (0..yours)
        .map(|n| row(&format!("user-{n:03}")))
        .chain((0..marked).map(|n| row(&format!("{}{n:06}", run.mark()))));
    let rows: Vec<Row> = rows.collect();
    let moment = |pod: PodSeen, server: Server| Moment {
        pod,
        claims: vec![claim.clone()],
        data: Data::Postgres(Box::new(Database { server, rows: Reading::Present(rows.clone()) })),
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
    let name = |name: &str| Resolved { name: name.into(), addresses: vec!["10.0.0.2".into()] };
    let turn = Turn {
        asked_at: "2026-11-24T02:00:01Z".parse().unwrap(),
        container: None,
        before: moment(old, server("1.5", 100)),
        after: Reading::Present(moment(new, server("2.5", 200))),
        timeline: changes.into_iter().fold(timeline, |timeline, (at, change)| step(timeline, change, at)),
        log: Reading::Present(vec!["LOG:  database system was shut down at 2026-11-24 02:00:03 UTC".into()]),
        load: Reading::NotAsked,
        takeover: Reading::NotAsked,
        name_error: Some("connection refused".into()),
        name: Reading::Present(NameAnswer {
            from: "backend-1".into(),
            names: vec![name("postgres-headless"), name("postgres-0.postgres-headless")],
            start: Some("2.5".into()),
            pod: None,
            errors: vec![],
        }),
    };
    Evidence {
        run,
        set: SetSeen { name: "postgres".into(), uid: "set".into() },
        how: How::Delete,
        node: None,
        planned: vec!["postgres-0".into()],
        data: DataAsked::Postgres { marked: marked.try_into().unwrap(), max_gap_ms: None, is_replicated: false },
        turns: vec![turn],
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
    Report { about: about(), evidence: healthy(3, 5), contrast: Reading::NotAsked }
}

/// Everything after a turn.
pub fn after(turn: &mut Turn) -> &mut Moment {
    match &mut turn.after {
        Reading::Present(after) => after,
        _ => panic!("it came back"),
    }
}

/// The database of a moment.
pub fn database(moment: &mut Moment) -> &mut Database {
    match &mut moment.data {
        Data::Postgres(database) => database,
        _ => panic!("it is of the exchange"),
    }
}

fn new_server(turn: &mut Turn) -> &mut Server {
    &mut database(after(turn)).server
}

fn rows(turn: &mut Turn) -> &mut Vec<Row> {
    match &mut database(after(turn)).rows {
        Reading::Present(rows) => rows,
        _ => panic!("there are rows"),
    }
}

fn load_of(turn: &mut Turn) -> &mut Load {
    match &mut turn.load {
        Reading::Present(load) => load,
        _ => panic!("there is a writer"),
    }
}

fn allow_gap(evidence: &mut Evidence, most: Option<u64>) {
    if let DataAsked::Postgres { max_gap_ms, .. } = &mut evidence.data {
        *max_gap_ms = most;
    }
}

/// The healthy evidence with one fault, and the check that finds it.
fn finds(name: &str, holds: Holds, fault: impl FnOnce(&mut Turn)) {
    let mut evidence = healthy(3, 5);
    fault(&mut evidence.turns[0]);
    let verdict = judge(&evidence);
    assert_eq!(verdict.holds, holds, "{verdict:#?}");
    assert!(verdict.against().iter().any(|(_, check)| check.name.words() == name), "{name}: {verdict:#?}");
}

#[test]
fn healthy_evidence_holds() {
    for (yours, marked) in [(0, 0), (0, 100), (3, 100)] {
        let verdict = judge(&healthy(yours, marked));
        assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    }
    let verdict = judge(&healthy(3, 1));
    let yours = verdict.pods[0].checks.iter().find(|check| check.name == CheckName::YourRows).unwrap();
    assert!(yours.evidence.starts_with("your 3 wallets are unchanged (user-000 1000.00"), "{yours:?}");
}

#[test]
fn evidence_survives_its_own_json() {
    let evidence = healthy(3, 5);
    let json = serde_json::to_string(&evidence).unwrap();
    assert_eq!(serde_json::from_str::<Evidence>(&json).unwrap(), evidence);
}

#[test]
fn each_fault_is_found_by_its_check() {
    use Holds::{No, Unknown};
    finds("new pod", No, |turn| after(turn).pod.uid = "old".into());
    finds("new pod", No, |turn| after(turn).pod.uid = "third".into());
    finds("same owner", No, |turn| after(turn).pod.owner = Some("somebody".into()));
    finds("same owner", Unknown, |turn| after(turn).pod.owner = None);
    finds("new server", No, |turn| new_server(turn).start = "1.5".into());
    finds("same claim", No, |turn| after(turn).claims.clear());
    finds("same volume", No, |turn| after(turn).claims.clear());
    finds("same claim", No, |turn| after(turn).claims[0].claim = Reading::Absent);
    finds("same claim", Unknown, |turn| after(turn).claims[0].claim = Reading::NotAsked);
    finds("same volume", No, |turn| after(turn).claims[0].volume = Reading::Present("other".into()));
    finds("same database", No, |turn| new_server(turn).system = "1".into());
    finds("same database", Unknown, |turn| new_server(turn).system = String::new());
    finds("same directory", No, |turn| new_server(turn).inode = "13".into());
    finds("same directory", No, |turn| new_server(turn).directory = "/tmp".into());
    finds("your rows", No, |turn| drop(rows(turn).remove(0)));
    finds("your rows", No, |turn| rows(turn)[1].sum = "other".into());
    finds("your rows", No, |turn| database(after(turn)).rows = Reading::Absent);
    finds("your rows", Unknown, |turn| database(after(turn)).rows = Reading::Unknown(Reason::Failed("x".into())));
    finds("marked rows", No, |turn| drop(rows(turn).pop()));
    finds("marked rows", No, |turn| {
        database(&mut turn.before).rows = Reading::Present(vec![row("user-000")]);
    });
    finds("same address by name", No, |turn| turn.name = Reading::Absent);
    finds("same address by name", Unknown, |turn| turn.name = Reading::NotAsked);
    finds("one server at a time", No, |turn| {
        turn.timeline.old_ended_at = Some("2026-11-24T02:00:06Z".parse().unwrap());
    });
    finds("one server at a time", Unknown, |turn| {
        turn.timeline.old_ended_at = None;
        new_server(turn).lock = String::new();
    });
    finds("start", No, |turn| turn.log = Reading::Present(vec!["PostgreSQL init process complete".into()]));
    finds("start", Unknown, |turn| turn.log = Reading::Unknown(Reason::Forbidden("no".into())));
    finds("log goes on", No, |turn| new_server(turn).wal_bytes = 99);
    finds("came back", No, |turn| turn.after = Reading::Absent);
    finds("came back", Unknown, |turn| turn.after = Reading::Unknown(Reason::Failed("x".into())));
}

#[test]
fn a_name_that_leads_elsewhere_is_found() {
    for change in [
        |name: &mut NameAnswer| name.names[0].addresses = vec!["10.0.0.1".into()],
        |name: &mut NameAnswer| name.names[0].addresses = vec!["10.0.0.2".into(), "10.0.0.1".into()],
        |name: &mut NameAnswer| name.names[1].addresses = vec![],
        |name: &mut NameAnswer| name.start = Some("1.5".into()),
    ] {
        finds("same address by name", Holds::No, |turn| {
            let Reading::Present(name) = &mut turn.name else { panic!("it was asked") };
            change(name);
        });
    }
}

#[test]
fn what_is_told_and_not_judged() {
    let mut evidence = healthy(3, 5);
    let turn = &mut evidence.turns[0];
    new_server(turn).device = "another".into();
    new_server(turn).settings.insert("synchronous_commit".into(), "off".into());
    after(turn).claims[0].volume = Reading::Unknown(Reason::Forbidden("no".into()));
    rows(turn)[0] = Row { sum: "new".into(), updated: "2026-11-24 02:00:00".into(), ..row("user-000") };
    rows(turn).push(row("user-new"));
    // Of another run, which has gone on meanwhile.
    let Reading::Present(before) = &mut database(&mut turn.before).rows else { panic!("there are rows") };
    before.push(row("kubecoin-demo-76543210-000001"));
    rows(turn).push(row("kubecoin-demo-76543210-200001"));
    let verdict = judge(&evidence);
    assert_eq!(verdict.holds, Holds::Yes, "{verdict:#?}");
    let said = verdict.pods[0].checks.iter().map(|check| check.evidence.clone()).collect::<Vec<_>>().join("\n");
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
        let mut evidence = Evidence { how: How::Crash, ..healthy(1, 1) };
        let turn = &mut evidence.turns[0];
        let old = turn.before.pod.clone();
        after(turn).pod = PodSeen { restarts, ..old };
        if let Reading::Present(name) = &mut turn.name {
            name.names.iter_mut().for_each(|name| name.addresses = vec!["10.0.0.1".into()]);
        }
        judge(&evidence)
    };
    assert_eq!(crashed(1).holds, Holds::Yes, "{:#?}", crashed(1));
    assert_eq!((crashed(0).holds, crashed(2).holds), (Holds::No, Holds::No));
}

/// Healthy evidence with a writer, whose rows with these numbers after the first were not acknowledged.
fn under_load(count: u32, unacknowledged: &[u32]) -> Evidence {
    let mut evidence = healthy(2, 3);
    let mark = evidence.run.mark();
    let numbers = || FIRST..FIRST + count;
    let written: Vec<Row> = numbers().map(|number| row(&format!("{mark}{number:06}"))).collect();
    let acknowledged = numbers().zip(&written).filter(|(number, _)| !unacknowledged.contains(&(number - FIRST)));
    let turn = &mut evidence.turns[0];
    turn.load = Reading::Present(Load {
        from: "backend-1".into(),
        first: FIRST,
        last: FIRST + count - 1,
        acknowledged: acknowledged.map(|(number, row)| (number, row.sum.clone())).collect(),
        errors: vec!["connection refused".into()],
        gap_ms: 1500,
        servers: 2,
        by_last: 1,
    });
    rows(turn).extend(written);
    evidence
}

#[test]
fn what_was_not_acknowledged_may_be_either() {
    let mut evidence = under_load(20, &[7]);
    assert_eq!(judge(&evidence).holds, Holds::Yes, "{:#?}", judge(&evidence));
    let id = format!("{}{:06}", evidence.run.mark(), FIRST + 7);
    rows(&mut evidence.turns[0]).retain(|row| row.id != id);
    assert_eq!(judge(&evidence).holds, Holds::Yes);
    allow_gap(&mut evidence, Some(1500));
    assert_eq!(judge(&evidence).holds, Holds::Yes);
    allow_gap(&mut evidence, Some(1499));
    assert_eq!(judge(&evidence).holds, Holds::No);
    allow_gap(&mut evidence, None);
    load_of(&mut evidence.turns[0]).servers = 1;
    assert_eq!(judge(&evidence).holds, Holds::Unknown, "a writer that met one server alone shows nothing");
    evidence.turns[0].load = Reading::Unknown(Reason::Failed("x".into()));
    assert_eq!(judge(&evidence).holds, Holds::Unknown);
}

#[test]
fn two_nodes_have_two_clocks() {
    let elsewhere = |ended_before_started: bool, lock: &str| {
        let mut evidence = healthy(3, 5);
        let turn = &mut evidence.turns[0];
        turn.timeline.old.node = Some("node-2".into());
        // By its own node's clock.
        turn.timeline.old_ended_at = Some("2026-11-24T02:00:06Z".parse().unwrap());
        if !ended_before_started {
            turn.timeline.events.sort_by_key(|event| event.kind == Kind::Ended);
        }
        new_server(turn).lock = lock.into();
        judge(&evidence)
            .pods
            .remove(0)
            .checks
            .into_iter()
            .find(|check| check.name == CheckName::OneServer)
            .unwrap()
            .holds
    };
    assert_eq!(elsewhere(true, ""), Holds::Yes, "the order in which it was seen counts");
    assert_eq!(elsewhere(false, ""), Holds::Unknown);
    assert_eq!(elsewhere(false, "/lock"), Holds::Yes);
}

#[test]
fn a_gap_without_an_end_is_not_known_unless_it_is_too_long() {
    let mut evidence = under_load(20, &[]);
    load_of(&mut evidence.turns[0]).by_last = 0;
    let of = |evidence: &Evidence| -> Vec<(String, Holds)> {
        judge(evidence).against().into_iter().map(|(_, check)| (check.name.words().to_owned(), check.holds)).collect()
    };
    let [rows, gap] = ["rows under load", "gap under load"].map(str::to_owned);
    assert_eq!(of(&evidence), [(rows, Holds::Unknown), (gap.clone(), Holds::Unknown)]);
    allow_gap(&mut evidence, Some(1499));
    assert_eq!(of(&evidence), [(gap, Holds::No)]);
}

#[test]
fn rows_of_an_earlier_writer_stay() {
    let mut evidence = under_load(20, &[7]);
    let mark = evidence.run.mark();
    // The second turn of a run: what there is of the first one's writer was read before.
    let number = |row: &Row| load::number(&evidence.run, &row.id);
    let earlier: Vec<Row> = rows(&mut evidence.turns[0].clone())
        .iter()
        .filter(|row| number(row).is_some_and(|it| it < FIRST + 5))
        .cloned()
        .collect();
    let turn = &mut evidence.turns[0];
    let load = load_of(turn);
    load.first = FIRST + 5;
    load.acknowledged.retain(|(number, _)| *number >= FIRST + 5);
    let Reading::Present(before) = &mut database(&mut turn.before).rows else { panic!("there are rows") };
    before.extend(earlier);
    assert_eq!(judge(&evidence).holds, Holds::Yes, "{:#?}", judge(&evidence));
    let of_earlier = format!("{mark}{:06}", FIRST + 3);
    let at = rows(&mut evidence.turns[0]).iter().position(|row| row.id == of_earlier).unwrap();
    let mut altered = evidence.clone();
    rows(&mut altered.turns[0])[at].sum = "altered".into();
    assert_eq!(judge(&altered).holds, Holds::No);
    rows(&mut evidence.turns[0]).remove(at);
    let verdict = judge(&evidence);
    assert!(verdict.conclusion().contains("1 acknowledged, but lost (200004)"), "{verdict:#?}");
}

/// The check that reports have by this name.
fn named(words: &str) -> CheckName {
    *CheckName::ALL.iter().find(|name| name.words() == words).unwrap_or_else(|| panic!("no check is named {words:?}"))
}

/// A verdict on pods with these checks.
fn verdict_of(pods: &[&[(&str, Holds)]]) -> Verdict {
    let check = |(name, holds): &(&str, Holds)| Check::new(named(name), *holds, "why");
    let pod = |(number, checks): (usize, &&[(&str, Holds)])| {
        PodVerdict::of(&format!("store-{number}"), checks.iter().map(check).collect())
    };
    let pods = pods.iter().enumerate().map(pod).collect();
    Verdict::of(pods, Check::new(CheckName::EveryPod, Holds::Yes, "all"))
}

#[test]
fn rows_that_went_with_the_data_are_not_what_matters() {
    use Holds::{No, Unknown, Yes};
    for (checks, foremost) in [
        ([("your rows", No), ("marked rows", No), ("log goes on", No)], Some("log goes on")),
        ([("your rows", No), ("start", No), ("log goes on", Yes)], Some("start")),
        ([("your rows", No), ("start", Unknown), ("log goes on", Yes)], Some("your rows")),
        ([("same address by name", Unknown), ("start", Unknown), ("settings", Yes)], Some("same address by name")),
        ([("your rows", Yes), ("start", Yes), ("log goes on", Yes)], None),
    ] {
        assert_eq!(verdict_of(&[&checks]).foremost().map(|(_, check)| check.name.words()), foremost, "{checks:?}");
    }
}

#[test]
fn several_checks_that_fail_are_counted_and_the_most_important_one_is_named() {
    use Holds::{No, Unknown, Yes};
    for (pods, conclusion) in [
        (vec![[("start", No), ("log goes on", Yes)].as_slice()], "start: why"),
        (
            vec![&[("your rows", No), ("start", No), ("log goes on", Unknown)]],
            "2 of 3 checks failed; first: start: why",
        ),
        (
            vec![&[("new pod", Unknown), ("settings", Yes), ("same owner", Unknown)]],
            "2 of 3 checks could not be made; first: new pod: why",
        ),
        (
            vec![&[("new pod", Yes)], &[("new pod", No), ("settings", No)]],
            "2 of 4 checks failed; first: pod/store-1: new pod: why",
        ),
        (vec![&[("your rows", Yes)]], "why"),
        (vec![&[("same data", Yes)]], "all"),
    ] {
        assert_eq!(verdict_of(&pods).conclusion(), conclusion);
    }
}

proptest! {
    #[test]
    fn no_evidence_with_a_lost_or_altered_acknowledged_row_holds(count in 2..60_u32, at in any::<prop::sample::Index>(), fate in 0..4_u8) {
        let mut evidence = under_load(count, &[0]);
        let mark = evidence.run.mark();
        let of_writer = format!("{mark}{:06}", FIRST + 1 + u32::try_from(at.index(count as usize - 1)).unwrap());
        let rows = rows(&mut evidence.turns[0]);
        let at = rows.iter().position(|row| row.id == of_writer).unwrap();
        match fate {
            0 => drop(rows.remove(at)),
            1 => rows[at].sum = "altered".into(),
            2 => rows.push(rows[at].clone()),
            _ => rows.push(row(&format!("{mark}{:06}", FIRST + count))),
        }
        prop_assert_eq!(judge(&evidence).holds, Holds::No);
    }

    #[test]
    fn no_evidence_with_a_lost_or_altered_marked_row_holds(yours in 0..5_usize, marked in 1..40_usize, at in any::<prop::sample::Index>(),
                                                           fate in 0..4_u8, later in any::<bool>()) {
        let mut evidence = healthy(yours, marked);
        let mark = evidence.run.mark();
        let rows = rows(&mut evidence.turns[0]);
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
        prop_assert_eq!(judge(&evidence).holds, Holds::No);
    }

    #[test]
    fn no_evidence_with_a_lost_row_of_the_user_holds(yours in 1..20_usize, marked in 0..5_usize, at in any::<prop::sample::Index>(), altered: bool) {
        let mut evidence = healthy(yours, marked);
        let at = at.index(yours);
        if altered {
            rows(&mut evidence.turns[0])[at].sum = "altered".into();
        } else {
            rows(&mut evidence.turns[0]).remove(at);
        }
        prop_assert_eq!(judge(&evidence).holds, Holds::No);
    }

    #[test]
    fn changes_in_any_order_keep_the_times_in_order(changes in prop::collection::vec(0..9_u8, 0..40)) {
        let old = healthy(0, 0).turns.remove(0).before.pod;
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
