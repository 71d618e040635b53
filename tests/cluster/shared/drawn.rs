//! `persistence-demo` in states in which a pod may not come back, drawn by chance: after none of them is anything worse than
//! before. Three are drawn in `cargo xtask test`, the same each time, and twenty others in `cargo xtask test drawn`.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::target::{Storage, store};
use crate::support::chance::{SEED, number, seed};
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, run};
use crate::support::scene::Scene;
use crate::support::wait::until;

/// The variable that gives how many states are drawn.
const COUNT: &str = "KUBECOIN_STATES";

const USUAL_COUNT: u64 = 3;

const SOON: std::time::Duration = std::time::Duration::from_mins(1);

/// Something that was done to a namespace after the deploy, and whether the next pod comes all the same.
struct Change {
    name: &'static str,
    /// Commands of kubectl, with `<set>` and `<claim>` for what the subject has.
    commands: &'static [&'static str],
    comes: bool,
}

const CHANGES: &[Change] = &[
    Change { name: "nothing", commands: &[], comes: true },
    Change { name: "a claim that was deleted", commands: &["delete pvc <claim> --wait=false"], comes: false },
    Change {
        name: "a volume that was deleted with its claim under the policy Delete",
        commands: &[
            "patch pv <volume> -p {\"spec\":{\"persistentVolumeReclaimPolicy\":\"Delete\"}}",
            "delete pvc <claim> --wait=false",
        ],
        comes: false,
    },
    Change { name: "a quota without room", commands: &["create quota drawn --hard=pods=0"], comes: false },
    Change { name: "a quota that is just full", commands: &["create quota drawn --hard=pods=<pods>"], comes: true },
    Change {
        name: "Pod Security that was tightened",
        commands: &["label namespace <namespace> pod-security.kubernetes.io/enforce=restricted"],
        comes: false,
    },
];

/// Only the exchange's pod needs a Secret, and says how much memory it needs.
const OF_THE_EXCHANGE: &[Change] = &[
    Change { name: "a Secret that is gone", commands: &["delete secret postgres-credentials"], comes: false },
    Change {
        name: "a limit that was tightened",
        commands: &[
            "create -f - # {\"apiVersion\":\"v1\",\"kind\":\"LimitRange\",\"metadata\":{\"name\":\"drawn\"},\"spec\":{\"limits\":[{\"type\":\"Container\",\"max\":{\"memory\":\"8Mi\"},\"default\":{\"memory\":\"8Mi\"},\"defaultRequest\":{\"memory\":\"8Mi\"}}]}}",
        ],
        comes: false,
    },
];

/// What is deleted and is to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Exchange,
    Set,
}

impl Subject {
    fn pod(self) -> &'static str {
        match self {
            Self::Exchange => "postgres-0",
            Self::Set => "store-0",
        }
    }

    fn claim(self) -> &'static str {
        match self {
            Self::Exchange => "postgres-pvc",
            Self::Set => "data-store-0",
        }
    }

    fn begin(self, namespace: &str) -> Scene {
        match self {
            Self::Exchange => {
                let scene = deployed(namespace);
                sql(namespace, "INSERT INTO wallets(id) VALUES ('drawn');");
                scene
            }
            Self::Set => {
                let scene = Scene::without_namespace(namespace);
                store(&scene, 1, &Storage::Template);
                ok(&format!("exec store-0 -n {namespace} -- touch /data/drawn"));
                scene
            }
        }
    }

    fn run(self, namespace: &str) -> Ran {
        match self {
            Self::Exchange => run(namespace, "persistence-demo --yes --timeout 2m"),
            Self::Set => run(namespace, "persistence-demo --yes --timeout 2m --target statefulset/store"),
        }
    }

    /// That what was there before is there.
    fn has_its_data(self, namespace: &str) -> bool {
        match self {
            Self::Exchange => sql(namespace, "SELECT count(*) FROM wallets WHERE id = 'drawn';") == "1",
            Self::Set => kubectl::run(&format!("exec store-0 -n {namespace} -- ls /data/drawn")).succeeded,
        }
    }
}

fn apply(change: &Change, subject: Subject, namespace: &str) {
    let claim = format!("persistentvolumeclaim/{}", subject.claim());
    let volume = field(namespace, &claim, "/spec/volumeName");
    let pods = ok(&format!("get pods -n {namespace} -o name")).lines().count();
    for command in change.commands {
        let (command, input) = command.split_once(" # ").unwrap_or((command, ""));
        let command = command
            .replace("<claim>", subject.claim())
            .replace("<volume>", &volume)
            .replace("<namespace>", namespace)
            .replace("<pods>", &pods.to_string());
        let words: Vec<&str> = command.split_whitespace().chain(["-n", namespace]).collect();
        let ended = kubectl::command(&words, input);
        assert!(ended.succeeded, "{command}: {}", ended.stderr);
        if command.starts_with("create quota") {
            until("the quota counts", SOON, || {
                let used = field(namespace, "resourcequota/drawn", "/status/used/pods");
                if used.is_empty() { Err("nothing is counted".to_owned()) } else { Ok(()) }
            });
        }
    }
}

#[test]
fn nothing_is_worse_after_a_run_in_a_state_drawn_by_chance() {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    for number in 0..number(COUNT).unwrap_or(USUAL_COUNT) {
        let subject = if random.random_bool(0.5) { Subject::Exchange } else { Subject::Set };
        let more = if subject == Subject::Exchange { OF_THE_EXCHANGE } else { &[] };
        let change = CHANGES.iter().chain(more).collect::<Vec<_>>().choose(&mut random).copied().unwrap();
        println!("{SEED}={seed}, {number}: {subject:?} with {}", change.name);
        one(subject, change, &format!("kc-drawn-{number}"));
    }
}

fn one(subject: Subject, change: &Change, namespace: &str) {
    let _scene = subject.begin(namespace);
    let uid = |object: &str| field(namespace, object, "/metadata/uid");
    let (pod, claim) = (format!("pod/{}", subject.pod()), format!("persistentvolumeclaim/{}", subject.claim()));
    let before = (uid(&pod), uid(&claim));
    apply(change, subject, namespace);
    let ran = subject.run(namespace);
    let said = format!("{subject:?} with {}: {}{}", change.name, ran.stdout, ran.stderr);
    assert_eq!(ran.code, if change.comes { 0 } else { 2 }, "{said}");
    assert_eq!(uid(&pod) != before.0, change.comes, "{said}");
    assert_eq!(uid(&claim), before.1, "{said}");
    assert!(subject.has_its_data(namespace), "{said}");
    assert!(!ran.stderr.contains("--delete-data"), "{said}");
}
