//! What survives what: the table of `docs/security.md`, done line by line, with both kinds of storage side by side. Each
//! exchange is that of a user who has no more rights than the page gives.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::docs::{markdown, page};
use crate::support::deployed::{field, psql, sql};
use crate::support::kubectl::ok;
use crate::support::plugin::ends;
use crate::support::rights::{Granted, PAGE, of_page};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(3);

/// An exchange, and the user whose it is.
pub struct OwnedExchange {
    scene: Scene,
    _granted: Granted,
}

impl OwnedExchange {
    /// With a storage, by its column in the table. It follows from the user's rights: who may create volumes gets the lesson's
    /// own.
    pub fn deployed(prefix: &str, storage: &str) -> Self {
        let namespace = &format!("{prefix}-{}", storage.split(' ').next().unwrap_or_default());
        let scene = Scene::without_namespace(namespace);
        ok(&format!("create namespace {namespace}"));
        let mut granted = Granted::new(namespace);
        granted.give(namespace, Some(namespace), &of_page("Role"));
        if storage == "static storage" {
            granted.give(namespace, None, &of_page("ClusterRole"));
        }
        granted.apply();
        let exchange = Self { scene, _granted: granted };
        exchange.does("deploy --init-db --timeout 3m");
        let class = field(namespace, "pvc/postgres-pvc", "/spec/storageClassName");
        assert_eq!(class.is_empty(), storage == "static storage", "{class}");
        exchange
    }

    fn namespace(&self) -> &str {
        self.scene.namespace()
    }

    fn does(&self, words: &str) {
        ends(self.namespace(), &format!("{words} --as {}", self.namespace()), 0);
    }

    /// The pod's UID, and how often its container was restarted.
    fn server(&self) -> [String; 2] {
        ["/metadata/uid", "/status/containerStatuses/0/restartCount"]
            .map(|pointer| field(self.namespace(), "pod/postgres-0", pointer))
    }

    /// Waits until the container of its first pod has been restarted.
    pub fn restarts(&self) {
        until("the container restarts", SOON, || match self.server() {
            [uid, restarts] if !["", "0"].contains(&restarts.as_str()) => Ok(uid),
            server => Err(server.join(" ")),
        });
    }

    /// Writes a wallet.
    pub fn write(&self) {
        sql(self.namespace(), "DELETE FROM wallets; INSERT INTO wallets(id) VALUES ('anna');");
    }

    /// What has become of the wallet, in the word of the page.
    pub fn left(&self) -> &'static str {
        self.does("status --wait --timeout 2m");
        match sql(self.namespace(), "SELECT id FROM wallets;").as_str() {
            "anna" => "kept",
            "" => "lost",
            other => panic!("{other}"),
        }
    }
}

/// Something that happens to an exchange, by its words on the page.
type Event = (&'static str, fn(&OwnedExchange));

/// What is done, by the first column of the table. Each leaves an exchange for the next.
const EVENTS: [Event; 6] = [
    ("PostgreSQL's container restarts", |exchange| {
        // As in a crash. The first process of a container takes no SIGKILL from inside, and the connection goes with it.
        psql(exchange.namespace(), "COPY (SELECT 1) TO PROGRAM 'kill -QUIT 1';");
        exchange.restarts();
    }),
    ("the pod is deleted", |exchange| {
        let [before, _] = exchange.server();
        ok(&format!("delete pod postgres-0 -n {}", exchange.namespace()));
        until("another pod", SOON, || match exchange.server() {
            [uid, _] if !uid.is_empty() && uid != before => Ok(()),
            [uid, _] => Err(uid),
        });
    }),
    ("the StatefulSet is deleted", |exchange| {
        ok(&format!("delete statefulset postgres -n {} --cascade=foreground", exchange.namespace()));
        exchange.does("deploy --timeout 3m");
    }),
    ("`teardown`", |exchange| {
        exchange.does("teardown --yes");
        exchange.does("deploy --timeout 3m");
    }),
    ("the claim is deleted", |exchange| {
        let namespace = exchange.namespace();
        let volume = field(namespace, "pvc/postgres-pvc", "/spec/volumeName");
        ok(&format!("delete statefulset/postgres pvc/postgres-pvc -n {namespace} --cascade=foreground"));
        until("the volume is left or gone", SOON, || {
            match field(namespace, &format!("pv/{volume}"), "/status/phase") {
                phase if phase == "Released" && volume == format!("postgres-pv-{namespace}") => Ok(()),
                phase if phase.is_empty() => Ok(()),
                phase => Err(phase),
            }
        });
        exchange.does("deploy --reuse-volume --init-db --timeout 3m");
    }),
    ("`teardown --delete-data`", |exchange| {
        let begin = Instant::now();
        exchange.does("teardown --yes --delete-data --timeout 5m");
        // The volume may be looked at and not watched: that it goes is seen all the same, and not only when the time is over.
        assert!(begin.elapsed() < Duration::from_mins(4), "it took {:?}", begin.elapsed());
        exchange.does("deploy --init-db --timeout 3m");
    }),
];

/// The lines of the page that a test shows: what happens, and what has become of the data, each with the kind of storage.
pub fn told(shown_by: &str) -> BTreeMap<(String, &'static str), String> {
    let rows = markdown::table(&page(PAGE), "What survives what");
    let known = |row: &&Vec<String>| {
        let by = &row[3];
        assert!(["`shared::survives`", "`exclusive::parts`"].contains(&by.as_str()) || by.starts_with("not tested: "));
        markdown::code(by) == [shown_by]
    };
    let shown = rows.iter().filter(known);
    let cells = shown.flat_map(|row| {
        STORAGES.iter().zip(&row[1..]).map(|(storage, cell)| {
            let word = cell.split(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default();
            ((row[0].clone(), *storage), word.to_owned())
        })
    });
    cells.collect()
}

/// The kinds of storage, by their columns.
pub const STORAGES: [&str; 2] = ["static storage", "dynamic storage"];

#[test]
fn what_survives_what_is_as_the_page_says() {
    let found = thread::scope(|scope| {
        let runs = STORAGES.map(|storage| {
            scope.spawn(move || {
                let exchange = OwnedExchange::deployed("kc-survives", storage);
                EVENTS.map(|(event, act)| {
                    exchange.write();
                    act(&exchange);
                    ((event.to_owned(), storage), exchange.left().to_owned())
                })
            })
        });
        runs.map(|run| run.join().expect("each event passes")).into_iter().flatten().collect::<BTreeMap<_, _>>()
    });
    assert_eq!(found, told("shared::survives"));
}
