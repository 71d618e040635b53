//! A name of the database that leads nowhere.

use super::fault::{Fault, Step};
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

// Its new pod becomes ready, and replaces the old one: readiness does not depend on the database.
pub const EXERCISE: Exercise =
    Exercise { number: 4, code: "database-host", needs: Needs::RoomFor(Part::Backend), faults, look };

fn faults() -> Vec<Fault> {
    let of = |host: &str| {
        Fault::of_field(Part::Backend, "spec.template.spec.containers[backend].env[DB_HOST].value", host)
            .or_named("spec.template.spec.containers[backend].env[DB_HOST]")
            .then(Step::WaitForUpdate { part: Part::Backend })
    };
    // The last one is a pod's name: by itself it is no name in DNS.
    vec![of("postgres-headles"), of("postgres-headless-service"), of("postgresql-headless"), of(names::POSTGRES_POD)]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let backend = format!("deployment/{}", names::BACKEND);
    vec![
        by_hand.kubectl(["logs", &backend, "--tail", "20"]).to("read what the backend says of the database"),
        by_hand.kubectl(["set", "env", &backend, "--list"]).to("see what the backend is told"),
        by_hand.kubectl("get services").to("compare it with the Services that there are"),
    ]
}
