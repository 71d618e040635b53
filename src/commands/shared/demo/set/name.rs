//! The stable name of a pod, asked for from a running pod of the set, of the DNS server itself: `/etc/hosts` and the caches of
//! libc have no part in it.

use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use tokio::time::{Instant, sleep};

use super::preflight::{Member, Ready};
use crate::commands::shared::relay::{self, Hello, Pipe};
use crate::context::Ctx;
use crate::dns::{self, Answer, Kind, Record};
use crate::kubernetes::{Cause, Cluster, act};
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::{NameAnswer, Resolved};

/// How long nobody may answer before that is so.
const SILENCE: Duration = Duration::from_secs(15);

/// How often it is asked: nobody can watch a DNS server.
const AGAIN: Duration = Duration::from_secs(1);

/// As many other pods as are tried, one after another.
const MOST: usize = 3;

/// Why there is no answer.
struct Silence {
    why: String,
    /// Whether there may be one later.
    may_pass: bool,
}

/// Asks until the name of a pod leads to its addresses and nowhere else, or until what it answers can be no older answer.
pub async fn ask(ctx: &Ctx, ready: &Ready, pod: &str, addresses: &[String]) -> anyhow::Result<Reading<NameAnswer>> {
    let cluster = ctx.cluster().await?;
    let service = match headless(cluster, ready.service.as_deref()).await {
        Ok(service) => service,
        Err(why) => return Ok(unknown(&why)),
    };
    let name = format!("{pod}.{service}.{}.svc", cluster.namespace());
    // What others find shows more than what the pod finds of itself.
    let (own, others): (Vec<_>, Vec<_>) = ready.members.iter().partition(|member| member.pod == pod);
    let askers: Vec<&Member> = others.into_iter().take(MOST).chain(own).collect();
    ctx.show(|| {
        let from = askers[0];
        act::command(cluster.place(), &["exec", &from.pod, "-c", &from.container, "--", "nslookup", &name])
    });
    let start = Instant::now();
    loop {
        match of_any(cluster, &askers, &name, addresses).await {
            Ok(found) if found.names.iter().all(|name| name.leads_to(addresses)) || start.elapsed() > dns::SETTLED => {
                return Ok(Reading::Present(found));
            }
            Err(Silence { why, may_pass }) if !may_pass || start.elapsed() > SILENCE => return Ok(unknown(&why)),
            _ => sleep(AGAIN).await,
        }
    }
}

/// The Service below which pods have names; or why there is none.
async fn headless<'a>(cluster: &Cluster, service: Option<&'a str>) -> Result<&'a str, String> {
    let service = service.ok_or("the StatefulSet has no serviceName, so its pods have no DNS names")?;
    match cluster.get::<Service>(service).await {
        Ok(Some(there)) if there.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() == Some("None")) => {
            Ok(service)
        }
        Ok(Some(_)) => Err(format!("service/{service} is not headless, so the pods have no DNS names")),
        Ok(None) => Err(format!("service/{service}, the StatefulSet's serviceName, does not exist")),
        Err(error) => Err(error.to_string()),
    }
}

fn unknown<T>(why: &str) -> Reading<T> {
    Reading::Unknown(Reason::Failed(why.to_owned()))
}

/// The answer that the first of the pods has that can ask.
async fn of_any(
    cluster: &Cluster,
    askers: &[&Member],
    name: &str,
    addresses: &[String],
) -> Result<NameAnswer, Silence> {
    let mut first: Option<Silence> = None;
    for asker in askers {
        match of_one(cluster, asker, name, addresses).await {
            Ok(found) => return Ok(found),
            Err(Silence { why, may_pass }) => {
                let first = first.get_or_insert(Silence { why, may_pass });
                first.may_pass |= may_pass;
            }
        }
    }
    Err(first.unwrap_or(Silence { why: "no pod to ask from".to_owned(), may_pass: false }))
}

async fn of_one(cluster: &Cluster, asker: &Member, name: &str, addresses: &[String]) -> Result<NameAnswer, Silence> {
    let from = &asker.pod;
    let silence = |why: String, may_pass| Silence { why: format!("asked from pod/{from}: {why}"), may_pass };
    let talk = async |pipe: &mut Pipe, hello: &Hello| in_pod(pipe, hello, name, addresses).await;
    match relay::talk(cluster, (from, &asker.container), talk).await {
        Ok(Ok((_, Ok((name, addresses))))) => {
            let names = vec![Resolved { name, addresses }];
            Ok(NameAnswer { from: from.clone(), names, start: None, pod: None, errors: Vec::new() })
        }
        Ok(Ok((_, Err(why)))) => Err(silence(why, true)),
        Ok(Err(why)) => Err(silence(why, false)),
        Err(error) => {
            Err(silence(error.cause.to_string(), !matches!(error.cause, Cause::Forbidden(_) | Cause::Unauthorized)))
        }
    }
}

/// Asks for the kinds of addresses that the pod has. Gives the absolute name, and its addresses.
async fn in_pod(
    pipe: &mut Pipe,
    hello: &Hello,
    name: &str,
    addresses: &[String],
) -> Result<(String, Vec<String>), String> {
    let server = hello.resolv.servers.first().ok_or("its /etc/resolv.conf names no server")?;
    let domain = hello.resolv.domain().ok_or("its /etc/resolv.conf has no cluster domain")?;
    let name = format!("{name}.{domain}");
    pipe.begin(*server, &[]).await;
    let mut found = Vec::new();
    for kind in kinds(addresses) {
        match pipe.ask(&name, kind).await.0 {
            Answer::Records(records) => found.extend(records.into_iter().filter_map(|record| match record {
                Record::Address(address) => Some(address.to_string()),
                _ => None,
            })),
            Answer::NoRecord | Answer::NoSuchName => {}
            other => return Err(other.to_string()),
        }
    }
    Ok((name, found))
}

fn kinds(addresses: &[String]) -> Vec<Kind> {
    let addresses: Vec<IpAddr> = addresses.iter().filter_map(|address| address.parse().ok()).collect();
    let four = addresses.iter().any(IpAddr::is_ipv4).then_some(Kind::A);
    let six = addresses.iter().any(IpAddr::is_ipv6).then_some(Kind::Aaaa);
    four.into_iter().chain(six).collect()
}
