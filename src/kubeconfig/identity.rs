//! Who one is: the certificate and the credentials of the user entry.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde_json::{Value, json};

use super::address::{self, Address};
use super::choose::{Chosen, Named};
use super::file::{Exec, User};
use super::pem::{authority, read_pem};
use super::why::Why;
use super::{kuberc, oidc};
use crate::error::Error;
use crate::flags::Connection;
use crate::kubernetes::credentials::{Interaction, Plugin, VERSIONS};
use crate::kubernetes::tls::{ClientCertificate, Pem};
use crate::kubernetes::{Credentials, Impersonation, Secret};

/// Whom the entry impersonates.
///
/// # Errors
/// In words, if something of it cannot be sent.
pub fn impersonation(user: &Named<User>, flags: &Connection) -> Result<Impersonation, String> {
    let says = &user.says;
    let extras = says.impersonate_extra.values().flatten();
    for (values, field, flag) in [
        (vec![&says.impersonate], "as", flags.impersonate.is_some()),
        (vec![&says.impersonate_uid], "as-uid", flags.impersonate_uid.is_some()),
        (says.impersonate_groups.iter().collect(), "as-groups", false),
        (extras.collect(), "as-user-extra", false),
    ] {
        if values.into_iter().any(|value| HeaderValue::from_bytes(value.as_bytes()).is_err()) {
            return Err(format!("the {} has characters that cannot be sent", user.field(field, flag)));
        }
    }
    Ok(Impersonation {
        user: says.impersonate.clone(),
        uid: says.impersonate_uid.clone(),
        groups: says.impersonate_groups.clone(),
        extra: says.impersonate_extra.clone(),
    })
}

/// What an address alone proves.
pub fn of_address(server: &Address) -> Credentials {
    let user = server.user_info.as_deref().map(address::name_and_password);
    user.map_or(Credentials::None, |(username, password)| Credentials::Basic {
        username,
        password: Secret::new(password),
    })
}

/// The certificate and the credentials that kubectl would use of the entry, in its order.
///
/// # Errors
/// If there are none, or they contradict each other.
pub fn of(
    chosen: &Chosen,
    server: &Address,
    flags: &Connection,
) -> Result<(Option<ClientCertificate>, Credentials), Why> {
    let certificate = certificate(chosen, flags)?;
    let credentials = credentials(chosen, certificate.is_some(), flags)?;
    // What the address says is sent in place of all else.
    let credentials = if server.user_info.is_some() { of_address(server) } else { credentials };
    Ok((certificate, credentials))
}

fn credentials(chosen: &Chosen, has_certificate: bool, flags: &Connection) -> Result<Credentials, Why> {
    let user = &chosen.user;
    let says = &user.says;
    if let Some(provider) = &says.auth_provider {
        oidc::check(provider, user)?;
    }
    // Looked at whether the plugin is to run or not.
    if says.exec.as_ref().is_some_and(|exec| !VERSIONS.contains(&exec.api_version.as_str())) {
        return Err(Why::Entry(format!("the apiVersion of exec must be one of {} for {user}", VERSIONS.join(", "))));
    }
    if HeaderValue::from_bytes(says.token.as_bytes()).is_err() {
        let field = user.field("token", flags.token.is_some());
        return Err(Why::Entry(format!("the {field} has characters that cannot be sent")));
    }
    let token = (!says.token.is_empty()).then(|| Secret::new(says.token.clone()));
    if !says.token_file.is_empty() && !says.username.is_empty() {
        return Err(Why::Entry(format!("both tokenFile and username are given for {user}: only one is allowed")));
    }
    Ok(if !says.token_file.is_empty() {
        let (path, of) = (says.token_file.clone().into(), user.field("tokenFile", false));
        if token.is_none() {
            read_pem(&says.token_file, &of)?;
        }
        Credentials::TokenFile { path, fallback: token, of }
    } else if let Some(token) = token {
        Credentials::Token(token)
    } else if !says.username.is_empty() {
        Credentials::Basic { username: says.username.clone(), password: Secret::new(says.password.clone()) }
    } else if let Some(provider) = &says.auth_provider {
        Credentials::Token(oidc::token(provider, user)?)
    } else if has_certificate {
        Credentials::None
    } else if let Some(exec) = &says.exec {
        Credentials::Plugin(Box::new(plugin(chosen, exec, flags)?))
    } else {
        return Err(Why::Said(nobody(chosen)));
    })
}

fn certificate(chosen: &Chosen, flags: &Connection) -> Result<Option<ClientCertificate>, Error> {
    let user = &chosen.user;
    let says = &user.says;
    let read = |field: &str, path: &str, data: &[u8], flag: bool| match path {
        "" => Ok(Pem { bytes: data.to_owned(), origin: user.field(&format!("{field}-data"), false) }),
        path => read_pem(path, &user.field(field, flag)),
    };
    if says.certificate.is_empty() && says.certificate_data.is_empty() {
        return Ok(None);
    }
    Ok(Some(ClientCertificate {
        certificate: read(
            "client-certificate",
            &says.certificate,
            &says.certificate_data,
            flags.client_certificate.is_some(),
        )?,
        key: read("client-key", &says.key, &says.key_data, flags.client_key.is_some())?,
    }))
}

/// Where kubectl would ask for a user name.
fn nobody(chosen: &Chosen) -> Error {
    let Chosen { context, user, .. } = chosen;
    let message = match user.name.as_str() {
        "" if context.is_empty() => "no user is given, and no credentials".to_owned(),
        "" => format!("context {context:?} names no user, and no credentials are given"),
        name if user.file.is_none() => format!("the kubeconfig has no user {name:?}, which context {context:?} names"),
        _ => format!("{user} has no credentials"),
    };
    Error::new(message, "choose a user from the kubeconfig with --user, or give a token with --token")
}

/// The plugin, with what it is told of the cluster.
fn plugin(chosen: &Chosen, exec: &Exec, flags: &Connection) -> Result<Plugin, Why> {
    let cluster = if exec.provide_cluster_info { Some(cluster_info(chosen, flags)?) } else { None };
    Ok(Plugin {
        command: exec.command.clone(),
        args: exec.args.clone(),
        env: exec.env.clone(),
        api_version: exec.api_version.clone(),
        interaction: match exec.interactive_mode.as_str() {
            "Always" => Interaction::Always,
            "IfAvailable" => Interaction::IfAvailable,
            _ => Interaction::Never,
        },
        cluster,
        install_hint: exec.install_hint.clone(),
        policy: kuberc::policy(flags.kuberc.as_deref())?,
        of: chosen.user.to_string(),
    })
}

/// The cluster as a plugin is told of it.
fn cluster_info(chosen: &Chosen, flags: &Connection) -> Result<Value, Why> {
    let says = &chosen.cluster.says;
    let mut info = json!({ "server": says.server, "config": says.exec_config });
    let authority = authority(chosen, flags)?;
    for (name, value) in [
        ("tls-server-name", (!says.tls_server_name.is_empty()).then(|| json!(says.tls_server_name))),
        ("insecure-skip-tls-verify", says.insecure.then_some(json!(true))),
        ("certificate-authority-data", authority.map(|pem| json!(STANDARD.encode(pem.bytes)))),
        ("proxy-url", (!says.proxy_url.is_empty()).then(|| json!(says.proxy_url))),
        ("disable-compression", says.disable_compression.then_some(json!(true))),
    ] {
        if let Some(value) = value {
            info[name] = value;
        }
    }
    Ok(info)
}
