//! What flags, kubeconfig and environment come to.

use std::env;

use rustls::pki_types::ServerName;

use super::choose::{Chosen, choose, nearest_of, unusable};
use super::pem::{authority, read_pem};
use super::why::Why;
use super::{address, identity, in_pod, merge, proxy};
use crate::error::Error;
use crate::flags::{self, Connection};
use crate::kubernetes::tls::Trust;
use crate::kubernetes::{Credentials, Secret, Target};

/// Where requests go, and as whom. Reads files; opens no connection and runs no program.
///
/// # Errors
/// If they lead nowhere, or to what cannot be used, naming file, entry and field.
pub fn resolve(flags: &Connection) -> Result<Target, Error> {
    let chosen = choose(merge::read(flags.kubeconfig.as_deref())?, flags)?;
    let target =
        if chosen.cluster.says.server.is_empty() { without_server(chosen, flags)? } else { of(chosen, flags)? };
    if let Err(why) = flags::namespace(&target.namespace) {
        let context = &target.context;
        return Err(unusable(&format!("the namespace {:?} cannot exist: {why}", target.namespace), context, flags));
    }
    Ok(target)
}

/// The pod's own server where this runs in one, as kubectl does; or the one that a variable names.
fn without_server(mut chosen: Chosen, flags: &Connection) -> Result<Target, Error> {
    if let Some(account) = in_pod::service_account() {
        let authority = chosen.cluster.says.authority;
        let namespace = namespace(chosen.namespace);
        let impersonation = identity::impersonation(&chosen.user, flags).map_err(|why| unusable(&why, "", flags))?;
        let server = address::parse(&account.server, address::OF_SERVERS).map_err(|why| {
            unusable(&format!("the pod's variables KUBERNETES_SERVICE_HOST and _PORT: {why}"), "", flags)
        })?;
        let token = flags.token.clone();
        return Ok(Target {
            context: String::new(),
            namespace,
            proxy: proxy::of_environment(&server.uri).map_err(|why| unusable(&why, "", flags))?,
            server: server.uri,
            trust: if authority.is_empty() {
                Trust { authority_file: Some(account.authority_file), ..Trust::default() }
            } else {
                Trust { authority: Some(read_pem(&authority, "--certificate-authority")?), ..Trust::default() }
            },
            server_name: None,
            certificate: None,
            credentials: token.map_or_else(
                || Credentials::TokenFile {
                    path: account.token_file,
                    fallback: None,
                    of: "token of this pod".to_owned(),
                },
                |token| Credentials::Token(Secret::new(token)),
            ),
            impersonation,
        });
    }
    match env::var("KUBERNETES_MASTER").ok().filter(|server| !server.is_empty()) {
        Some(server) => {
            chosen.cluster.says.server = server;
            of(chosen, flags)
        }
        None => Err(no_server(&chosen, flags)),
    }
}

fn no_server(chosen: &Chosen, flags: &Connection) -> Error {
    let Chosen { context, cluster, known_contexts, missing, .. } = chosen;
    let message = match (known_contexts.as_slice(), context.as_str(), cluster.name.as_str()) {
        ([], "", _) => {
            let missing: Vec<String> = missing.iter().map(|path| path.display().to_string()).collect();
            let looked = if missing.is_empty() { String::new() } else { format!("; missing: {}", missing.join(", ")) };
            return Error::new(
                format!("there is no cluster to connect to: no kubeconfig with a context was found{looked}"),
                "start one with `minikube start`, or choose a kubeconfig with --kubeconfig or the variable KUBECONFIG",
            );
        }
        (known, "", "") => {
            return Error::new(
                "the kubeconfig has no current context",
                nearest_of("--context", "", known.iter().map(String::as_str)),
            );
        }
        (_, context, "") => format!("context {context:?} names no cluster"),
        (_, context, name) if cluster.file.is_none() => {
            format!("the kubeconfig has no cluster {name:?}, which context {context:?} names")
        }
        _ => format!("no server is given for {cluster}"),
    };
    let clusters = flags.by_hand().kubectl_of_cluster("config get-clusters");
    Error::new(message, clusters.to("list the clusters"))
}

/// The target that the chosen entries name.
fn of(chosen: Chosen, flags: &Connection) -> Result<Target, Error> {
    let context = chosen.context.clone();
    target(chosen, flags).map_err(|why| match why {
        Why::Said(error) => error,
        Why::Entry(why) => unusable(&why, &context, flags),
    })
}

fn target(chosen: Chosen, flags: &Connection) -> Result<Target, Why> {
    let cluster = &chosen.cluster;
    let says = &cluster.says;
    let server = address::parse(&says.server, address::OF_SERVERS)
        .map_err(|why| format!("the {} cannot be used: {why}", cluster.field("server", flags.server.is_some())))?;
    let proxy = if says.proxy_url.is_empty() {
        proxy::of_environment(&server.uri)?
    } else {
        let field = cluster.field("proxy-url", flags.proxy_url.is_some());
        Some(proxy::configured(&says.proxy_url).map_err(|why| format!("the {field} cannot be used: {why}"))?)
    };
    let impersonation = identity::impersonation(&chosen.user, flags)?;
    // Over http, nothing is sent that proves who one is, and nothing is read that would.
    let (trust, certificate, credentials) = if server.is_https() {
        let (certificate, credentials) = identity::of(&chosen, &server, flags)?;
        (trust(&chosen, flags)?, certificate, credentials)
    } else {
        (Trust::default(), None, identity::of_address(&server))
    };
    let server_name = server_name(&chosen, flags)?;
    Ok(Target {
        namespace: namespace(chosen.namespace),
        context: chosen.context,
        server_name,
        server: server.uri,
        proxy,
        trust,
        certificate,
        credentials,
        impersonation,
    })
}

fn server_name(chosen: &Chosen, flags: &Connection) -> Result<Option<ServerName<'static>>, Why> {
    let cluster = &chosen.cluster;
    let name = &cluster.says.tls_server_name;
    if name.is_empty() {
        return Ok(None);
    }
    let field = || cluster.field("tls-server-name", flags.tls_server_name.is_some());
    let read = ServerName::try_from(name.clone());
    read.map(Some).map_err(|_| Why::Entry(format!("the {} is not a name that a certificate can have", field())))
}

fn trust(chosen: &Chosen, flags: &Connection) -> Result<Trust, Why> {
    let cluster = &chosen.cluster;
    let says = &cluster.says;
    let has_authority = !says.authority.is_empty() || !says.authority_data.is_empty();
    if says.insecure && has_authority {
        return Err(Why::Entry(format!(
            "both certificate-authority and insecure-skip-tls-verify are given for {cluster}: only one is allowed"
        )));
    }
    Ok(Trust { authority: authority(chosen, flags)?, insecure: says.insecure, ..Trust::default() })
}

/// The namespace where flag and context name none: the pod's, where this runs in one.
fn namespace(named: String) -> String {
    if named.is_empty() { in_pod::namespace().unwrap_or_else(|| "default".to_owned()) } else { named }
}
