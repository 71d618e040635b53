use k8s_openapi::api::core::v1::{Container, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::findings::dns::{pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Need, Weight, pods, services};
use crate::observe::container;

/// A container runs, but a probe fails.
pub static CAUSE: Cause = Cause {
    id: "KC024",
    slug: "probe-failing",
    title: "A container runs, but its probe fails",
    text: include_str!("probe_failing.md"),
    explains: &[
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Events(pods::not_ready_objects)],
    mend: None,
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let container = container::status(pod, app)?;
            let ended = pods::ended_by_probe(observed, pod, app);
            if ended.is_none() {
                container.state.as_ref()?.running.as_ref()?;
            }
            let event = ended.or_else(|| observed.details.newest(pod, &["Unhealthy"]))?;
            // A server takes a moment to start; one that was restarted for it has had its time.
            let weight = if container.restart_count > 0 { Weight::Problem } else { Weight::NotYet };
            let more = container::of_status(pod, container)
                .and_then(|container| explained(pod, container, &event.message, weight));
            let by_hand = observed.by_hand;
            let log = pods::logs(observed, pod, app, ended.is_some());
            let so = match ended {
                Some(_) => {
                    format!("is restarted, {} times so far, because it fails its probe", container.restart_count)
                }
                None => "runs, but is not ready".to_owned(),
            };
            let is_of_the_probe = more.as_ref().is_some_and(|more| more.blames_probe);
            let words = more.map(|more| format!(" ({})", more.words)).unwrap_or_default();
            Some(Finding {
                cause: &CAUSE,
                weight,
                app,
                object: pods::reference(pod),
                says: format!("{so}: {}{words}", event.message),
                hint: if is_of_the_probe {
                    let restore = by_hand.own("deploy --force-conflicts").to("restore the probe");
                    // A log of a program that the probe has ended says nothing of the probe.
                    if ended.is_some() { restore } else { restore.and(log) }
                } else {
                    log
                },
            })
        });
        failing.collect()
    },
};

/// What a probe asks, and whether the probe or the program is wrong.
#[derive(Debug, PartialEq, Eq)]
struct Explained {
    words: String,
    /// Whether the probe asks for what cannot be there.
    blames_probe: bool,
}

/// What is to be said beside the event. A command that says itself what is wrong is repeated only where it has had its time.
fn explained(pod: &Pod, container: &Container, event: &str, weight: Weight) -> Option<Explained> {
    let (name, probe) = probe_of(container, event)?;
    let (asks, is_declared) = asks(pod, probe)?;
    let says = |words: String, blames_probe| Some(Explained { words, blames_probe });
    let undeclared = || says(format!("the {name} probe {asks}, which no container declares: correct the probe"), true);
    let has = |words: &[&str]| words.iter().any(|it| event.contains(it));
    if has(&["statuscode: 404"]) {
        says(format!("the {name} probe {asks}: the program has no such path, correct the probe"), true)
    } else if has(&["statuscode: "]) {
        says(format!("the {name} probe {asks}: the program answers, and says that it is not ready"), false)
    } else if has(&["connection refused", "couldn't find port"]) && !is_declared {
        undeclared()
    } else if has(&["connection refused"]) {
        says(format!("the {name} probe {asks}: the program does not listen there"), false)
    } else if probe.exec.is_some()
        && has(&["exec: "])
        && has(&["executable file not found", "no such file or directory"])
    {
        says(format!("the {name} probe {asks}: the image has no such command, correct the probe"), true)
    } else if has(&["deadline exceeded", "Client.Timeout", "i/o timeout", "timed out"]) {
        let limit = probe.timeout_seconds.unwrap_or(1);
        says(format!("the {name} probe {asks}: no answer within {limit} s"), false)
    } else if probe.exec.is_none() || weight == Weight::Problem {
        says(format!("the {name} probe {asks}"), false)
    } else {
        None
    }
}

/// The probe that an event speaks of, with its name.
fn probe_of<'a>(container: &'a Container, event: &str) -> Option<(&'static str, &'a Probe)> {
    let probes = [
        ("startup", "Startup probe", &container.startup_probe),
        ("readiness", "Readiness probe", &container.readiness_probe),
        ("liveness", "Liveness probe", &container.liveness_probe),
    ];
    let (name, _, probe) = probes.into_iter().find(|(_, words, _)| event.starts_with(words))?;
    Some((name, probe.as_ref()?))
}

/// What a probe asks, in words, and whether a container of the pod declares its port.
fn asks(pod: &Pod, probe: &Probe) -> Option<(String, bool)> {
    let number = |port: &IntOrString| match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    };
    if let Some(get) = &probe.http_get {
        let path = get.path.as_deref().unwrap_or("/");
        return Some((format!("asks for {path} at port {}", number(&get.port)), services::has_port(pod, &get.port)));
    }
    if let Some(socket) = &probe.tcp_socket {
        return Some((format!("connects to port {}", number(&socket.port)), services::has_port(pod, &socket.port)));
    }
    if let Some(grpc) = &probe.grpc {
        let is_declared = services::has_port(pod, &IntOrString::Int(grpc.port));
        return Some((format!("asks gRPC at port {}", grpc.port), is_declared));
    }
    let command = probe.exec.as_ref()?.command.as_ref()?;
    Some((format!("runs {}", command.join(" ")), true))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(probe: &Value, event: &str, weight: Weight) -> Option<(String, bool)> {
        let container = json!({ "name": "backend", "ports": [{ "name": "http", "containerPort": 5000 }],
                                "readinessProbe": probe, "livenessProbe": probe });
        let pod: Pod = serde_json::from_value(json!({ "spec": { "containers": [container] } })).unwrap();
        let container = &pod.spec.as_ref().unwrap().containers[0];
        explained(&pod, container, event, weight).map(|it| (it.words, it.blames_probe))
    }

    #[test]
    fn the_probe_is_blamed_where_it_asks_for_what_is_not_there() {
        let http = |path: &str, port: Value| json!({ "httpGet": { "path": path, "port": port }, "timeoutSeconds": 5 });
        let refused = "Readiness probe failed: Get \"http://10.0.0.1:5001/readyz\": dial tcp 10.0.0.1:5001: connect: connection refused";
        let late = "Liveness probe failed: Get \"http://10.0.0.1:5000/healthz\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
        for (probe, event, words, blames) in [
            (http("/readyz", json!(5001)), refused, "which no container declares", true),
            (http("/readyz", json!("http")), refused, "does not listen there", false),
            (
                http("/x", json!("http")),
                "Readiness probe failed: HTTP probe failed with statuscode: 404",
                "the readiness probe asks for /x at port http: the program has no such path",
                true,
            ),
            (
                http("/readyz", json!(5000)),
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                "says that it is not ready",
                false,
            ),
            (
                http("/healthz", json!(5000)),
                late,
                "the liveness probe asks for /healthz at port 5000: no answer within 5 s",
                false,
            ),
            (
                http("/", json!("web")),
                "Readiness probe errored and resulted in unknown state: couldn't find port: web",
                "which no container declares",
                true,
            ),
            (
                json!({ "exec": { "command": ["pg_isreadi", "-q"] } }),
                "Readiness probe errored: exec: \"pg_isreadi\": executable file not found in $PATH",
                "runs pg_isreadi -q: the image has no such command",
                true,
            ),
        ] {
            let (said, blamed) = told(&probe, event, Weight::NotYet).unwrap();
            assert!(said.contains(words) && blamed == blames, "{event}: {said}");
        }
    }

    #[test]
    fn a_command_that_speaks_for_itself_is_repeated_only_where_it_has_had_its_time() {
        let probe = json!({ "exec": { "command": ["pg_isready"] } });
        let event = "Readiness probe failed: 127.0.0.1:5432 - no response";
        assert_eq!(told(&probe, event, Weight::NotYet), None);
        let repeated = ("the readiness probe runs pg_isready".to_owned(), false);
        assert_eq!(told(&probe, event, Weight::Problem), Some(repeated));
        assert_eq!(told(&probe, "Startup probe failed: x", Weight::Problem), None);
    }
}
