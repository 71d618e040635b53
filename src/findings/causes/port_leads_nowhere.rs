use super::{backend_unreachable, database_unreachable, not_published, page_unreachable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, mends, services};
use crate::observe::Reading;
use crate::observe::path::Path;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// A Service whose target port its pods do not have. A headless one needs none: its name gives addresses.
pub static CAUSE: Cause = Cause {
    id: "KC051",
    slug: "port-leads-nowhere",
    title: "A Service leads to a port at which nobody listens",
    text: include_str!("port_leads_nowhere.md"),
    explains: &[
        &not_published::CAUSE,
        &backend_unreachable::CAUSE,
        &database_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Path],
    mend: Some(|observed, finding| mends::target_ports(observed, &finding.object)),
    judge: |observed| {
        let wrong = services::all(observed.snapshot).filter(|(_, _, service)| !services::is_headless(service));
        let wrong = wrong.filter_map(|(app, name, service)| {
            let pods = || observed.snapshot.pods_of(app).filter(|pod| services::selects(service, pod));
            pods().next()?;
            let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
            let target = ports.filter_map(|port| {
                let target = services::target(port);
                let is_there = pods().any(|pod| services::has_port(pod, &target));
                let is_number = matches!(target, IntOrString::Int(_));
                (!is_there && (!is_number || is_silent(observed, app))).then_some(target)
            });
            let target = match target.into_iter().next()? {
                IntOrString::Int(number) => number.to_string(),
                IntOrString::String(name) => name,
            };
            Some(Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: format!("service/{name}"),
                says: format!("leads to port {target}, which no pod of {app} has"),
                hint: (observed.by_hand.own("deploy --force-conflicts").to("restore it"))
                    .and(observed.by_hand.kubectl(["describe", "service", name]).to("see its ports")),
            })
        });
        wrong.collect()
    },
};

/// Whether a request has ended where this app should have answered. A number need not be declared by the pods, and is wrong
/// only if nothing answers there.
fn is_silent(observed: &Observed, app: &str) -> bool {
    match &observed.details.path {
        Reading::Present(Path::NoPage(_)) => app == names::FRONTEND,
        Reading::Present(Path::NoBackend) => app == names::BACKEND,
        Reading::Present(Path::NoDatabase { .. }) => app == names::POSTGRES,
        Reading::Present(Path::Other(_)) => app != names::POSTGRES,
        _ => false,
    }
}
