//! Faults of Services, by which requests do not arrive.

use serde_json::json;

use super::fault::Expects::{Cause, Names};
use super::fault::Mend::ByHint;
use super::fault::{Fault, Harm};

pub const FAULTS: &[Fault] = &[
    Fault {
        what: "the backend's Service selects nobody",
        make: |place| place.replace("service/backend-service", "/spec/selector/app", &json!("nobody")),
        holds: |place| place.leads_nowhere("backend-service"),
        expects: Cause("selector-matches-nothing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the page's Service selects the backend",
        make: |place| place.replace("service/frontend-service", "/spec/selector/app", &json!("backend")),
        holds: |place| place.has("service/frontend-service", "/spec/selector/app", "backend"),
        expects: Cause("selector-matches-nothing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the page's Service leads to a port at which nobody listens",
        make: |place| place.replace("service/frontend-service", "/spec/ports/0/targetPort", &json!(9999)),
        holds: |place| place.has("service/frontend-service", "/spec/ports/0/targetPort", "9999"),
        expects: Cause("port-leads-nowhere"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the backend's Service leads to a port by a name that no pod has",
        make: |place| place.replace("service/backend-service", "/spec/ports/0/targetPort", &json!("web")),
        holds: |place| place.has("service/backend-service", "/spec/ports/0/targetPort", "web"),
        expects: Cause("port-leads-nowhere"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the headless Service is deleted",
        make: |place| place.kubectl("delete service/postgres-headless"),
        holds: |place| place.lacks("service/postgres-headless"),
        expects: Names("missing", "service-missing"),
        harm: Harm::ByChance,
        mend: ByHint,
    },
    Fault {
        what: "the backend's Service is deleted",
        make: |place| place.kubectl("delete service/backend-service"),
        holds: |place| place.lacks("service/backend-service"),
        expects: Cause("missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the page's Service is deleted",
        make: |place| place.kubectl("delete service/frontend-service"),
        holds: |place| place.lacks("service/frontend-service"),
        expects: Cause("missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the headless Service has an address",
        make: |place| {
            let mut service = place.copy("service/postgres-headless");
            let spec = service["spec"].as_object_mut().expect("a spec");
            spec.remove("clusterIP");
            spec.remove("clusterIPs");
            place.kubectl("delete service/postgres-headless");
            place.create(&service);
        },
        holds: |place| match place.field("service/postgres-headless", "/spec/clusterIP") {
            address if address == "None" || address.is_empty() => Err("it has none".to_owned()),
            _ => Ok(()),
        },
        expects: Cause("not-headless"),
        harm: Harm::Later,
        mend: ByHint,
    },
];
