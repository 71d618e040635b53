use crate::exchange::psql;
use crate::findings::{Cause, Finding, Need, Weight};
use crate::observe::Reading;
use crate::observe::path::Path;

/// A new connection of the backend to the database fails.
pub static CAUSE: Cause = Cause {
    id: "KC081",
    slug: "database-unreachable",
    title: "The backend cannot connect to the database",
    text: include_str!("database_unreachable.md"),
    explains: &[],
    needs: &[Need::Path],
    mend: None,
    judge: |observed| {
        let Reading::Present(Path::NoDatabase { backend, reason }) = &observed.details.path else { return vec![] };
        let by_hand = observed.by_hand;
        let log = || by_hand.kubectl(["logs", backend]).to("read the backend's log");
        let (weight, why, hint) = match reason.as_str() {
            "password" => (
                Weight::Problem,
                "PostgreSQL rejects its password",
                by_hand.own("rotate-password").to("sync PostgreSQL's password with the Secret"),
            ),
            "no-database" => (
                Weight::Problem,
                "PostgreSQL has no database of this name",
                by_hand.kubectl(psql::LIST_DATABASES).to("see the databases, and compare with DB_NAME of the backend"),
            ),
            "name" => (
                Weight::Problem,
                "the name in its DB_HOST does not resolve",
                by_hand.own("dns-check").to("check the names"),
            ),
            "refused" => (
                Weight::Problem,
                "nobody listens at the address",
                by_hand.own("dns-check").to("check where the name leads"),
            ),
            "timeout" => (
                Weight::Problem,
                "no answer in time",
                by_hand.kubectl("get networkpolicy").to("see whether a NetworkPolicy forbids it"),
            ),
            "starting" => {
                (Weight::NotYet, "PostgreSQL is starting or stopping", by_hand.kubectl("get pods -w").to("watch it"))
            }
            "no-primary" => (
                Weight::Problem,
                "no server that it reaches accepts writes",
                by_hand.kubectl("get pods").to("see the pods of the database"),
            ),
            "busy" => (Weight::NotYet, "it is testing a connection already", by_hand.own("status").to("check again")),
            _ => (Weight::Problem, "see its log", log()),
        };
        vec![Finding {
            cause: &CAUSE,
            weight,
            app: "",
            object: format!("pod/{backend}"),
            says: format!("cannot connect to the database: {why}"),
            hint,
        }]
    },
};
