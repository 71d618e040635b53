//! Flags and kubeconfig, resolved: which cluster, as whom, in which namespace.

use std::cell::RefCell;
use std::env;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::api::DynamicObject;
use kube::config::{AuthInfo, Cluster as ClusterEntry, Context, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::config::{NamedAuthInfo, NamedCluster, NamedContext};
use tokio::sync::{OnceCell, watch};

use crate::cleanup::{Cleanup, Ticket};
use crate::error::Error;
use crate::flags::{Connection, Global};
use crate::kubernetes::act::{Act, Create, Delete};
use crate::kubernetes::{ByHand, Cluster, Object};
use crate::output::Printer;

/// How long a request may take if the user does not say.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// As good as no limit.
const ANY_TIME: Duration = Duration::from_hours(24 * 365);

/// What every command is given.
pub struct Ctx {
    /// Where answers, progress and hints go.
    pub printer: Printer,
    /// What this run has made and must take away.
    pub cleanup: Cleanup,
    /// What a command needs that a person types next. A namespace that was not given goes without saying.
    pub by_hand: ByHand,
    show_commands: bool,
    kept_commands: RefCell<Option<Vec<String>>>,
    connection: Connection,
    cluster: OnceCell<Cluster>,
}

impl Ctx {
    /// From the flags. Reads no file and opens no connection yet.
    #[must_use]
    pub fn new(global: Global) -> Self {
        Self {
            printer: Printer::new(global.color),
            cleanup: Cleanup::default(),
            show_commands: global.show_commands,
            kept_commands: RefCell::default(),
            by_hand: ByHand { namespace: global.connection.namespace.clone(), given: global.connection.given() },
            connection: global.connection,
            cluster: OnceCell::new(),
        }
    }

    /// The cluster that flags and kubeconfig lead to, prepared on first use.
    ///
    /// # Errors
    /// If they lead nowhere, with what to do about it.
    pub async fn cluster(&self) -> anyhow::Result<&Cluster> {
        self.cluster
            .get_or_try_init(|| async {
                let (config, context) = configuration(&self.connection).await?;
                let flags = self.connection.for_kubectl(&context);
                let timeout = match self.connection.request_timeout {
                    None => REQUEST_TIMEOUT,
                    Some(Duration::ZERO) => ANY_TIME,
                    Some(timeout) => timeout,
                };
                Ok(Cluster::new(config, context, flags, self.by_hand.given.clone(), timeout)?)
            })
            .await
    }

    /// The namespace. Needs no kubeconfig if a flag names it.
    ///
    /// # Errors
    /// If there is no flag, and no kubeconfig that can be used.
    pub async fn namespace(&self) -> anyhow::Result<String> {
        match &self.connection.namespace {
            Some(namespace) => Ok(namespace.clone()),
            None => Ok(self.cluster().await?.namespace().to_owned()),
        }
    }

    /// A command of this program for the same place, as the user would type it.
    #[must_use]
    pub fn own_command(&self, words: &str) -> String {
        self.by_hand.own(words)
    }

    /// Does it, and before, if asked for, shows how kubectl does the same.
    ///
    /// # Errors
    /// If it cannot be done.
    pub async fn perform<A: Act>(&self, act: &A) -> anyhow::Result<A::Done> {
        let cluster = self.cluster().await?;
        self.show(|| act.kubectl(cluster.place()));
        Ok(act.execute(cluster).await?)
    }

    /// Creates an object that this run takes away again, whichever way it ends. The object's name must be one that no
    /// other run chooses.
    ///
    /// # Errors
    /// If it cannot be created.
    pub async fn lend(&self, object: Object) -> anyhow::Result<(Ticket, DynamicObject)> {
        let cluster = self.cluster().await?.clone();
        let create = Create { object: object.clone(), hidden: None, dry_run: false };
        self.show(|| create.kubectl(cluster.place()));
        let (made, is_made) = watch::channel(false);
        let delete = Rc::new(Delete { object, uid: None });
        let ticket = self.cleanup.push(delete.kubectl(cluster.place()), {
            let cluster = cluster.clone();
            move || {
                let (cluster, delete, mut is_made) = (cluster.clone(), Rc::clone(&delete), is_made.clone());
                async move {
                    // An object that is still being made would be there after it was deleted.
                    let _ = is_made.wait_for(|made| *made).await;
                    delete.execute(&cluster).await.map(drop).map_err(Into::into)
                }
            }
        });
        // On a task of its own, a request that was sent is followed to its end, though this run may be stopped meanwhile.
        let created = tokio::spawn(async move {
            let created = create.execute(&cluster).await;
            made.send_replace(true);
            created
        });
        let created = created.await?;
        if created.as_ref().is_err_and(|error| error.cause.is_refusal()) {
            self.cleanup.forget(ticket);
        }
        Ok((ticket, created?))
    }

    /// Takes away what was lent, before the run ends.
    ///
    /// # Errors
    /// If it cannot be taken away. Then it is tried again at the end.
    pub async fn give_back(&self, ticket: Ticket) -> anyhow::Result<()> {
        if let Some(kubectl) = self.cleanup.kubectl(ticket) {
            self.show(|| kubectl);
        }
        self.cleanup.now(ticket).await
    }

    /// Shows a command that does the same as what comes next, if asked for.
    pub fn show(&self, command: impl FnOnce() -> String) {
        let mut kept = self.kept_commands.borrow_mut();
        if !self.show_commands && kept.is_none() {
            return;
        }
        let command = command();
        if self.show_commands {
            self.printer.command(&command);
        }
        if let Some(kept) = kept.as_mut() {
            kept.push(command);
        }
    }

    /// From now on keeps the commands that `show` is given.
    pub fn keep_commands(&self) {
        self.kept_commands.replace(Some(Vec::new()));
    }

    /// The commands that were kept. No more are.
    pub fn kept_commands(&self) -> Vec<String> {
        self.kept_commands.take().unwrap_or_default()
    }
}

/// The client's configuration, and the context's name.
async fn configuration(flags: &Connection) -> Result<(Config, String), Error> {
    let file = kubeconfig(flags.kubeconfig.as_deref())?;
    let nothing_said = file.is_none() && flags.server.is_none();
    if nothing_said && let Ok(mut config) = Config::incluster() {
        config.default_namespace = flags.namespace.clone().unwrap_or(config.default_namespace);
        return Ok((config, String::new()));
    }
    let mut file = file.unwrap_or_default();
    let context = chosen_context(&mut file, flags)?;
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let proxy = file.clusters.iter().find_map(|named| named.cluster.as_ref()?.proxy_url.clone());
    let mut config =
        Config::from_custom_kubeconfig(file, &options).await.map_err(|error| unusable(&error, &context))?;
    if let Some(namespace) = &flags.namespace {
        config.default_namespace.clone_from(namespace);
    } else if config.default_namespace.is_empty() {
        "default".clone_into(&mut config.default_namespace);
    }
    config.proxy_url = proxy_for(&config.cluster_url, proxy)?;
    Ok((config, context))
}

/// The kubeconfig, or nothing if none is named and there is none at the usual place.
fn kubeconfig(path: Option<&Path>) -> Result<Option<Kubeconfig>, Error> {
    let read = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => usual(),
    };
    match read {
        Ok(kubeconfig) => Ok(Some(kubeconfig)),
        Err(KubeconfigError::ReadConfig(error, _))
            if path.is_none()
                && error.kind() == std::io::ErrorKind::NotFound
                && env::var_os("KUBECONFIG").is_none() =>
        {
            Ok(None)
        }
        Err(KubeconfigError::FindPath) => Ok(None),
        Err(KubeconfigError::ReadConfig(error, path)) => Err(Error::new(
            format!("could not read the kubeconfig {}: {error}", path.display()),
            "name another one by --kubeconfig or the variable KUBECONFIG; `minikube start` or your cluster's provider writes one",
        )),
        Err(error) => Err(Error::new(
            format!("could not read the kubeconfig: {error}"),
            "see what kubectl makes of it: kubectl config view",
        )),
    }
}

/// The files that the variable KUBECONFIG lists, the first before the others, or else the one at the usual place. As for
/// kubectl, a list may name files that are not there, if one is.
fn usual() -> Result<Kubeconfig, KubeconfigError> {
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let there: Vec<PathBuf> =
        env::split_paths(&listed).filter(|path| !matches!(path.try_exists(), Ok(false))).collect();
    if there.is_empty() {
        return Kubeconfig::read();
    }
    there.iter().try_fold(Kubeconfig::default(), |merged, path| merged.merge(Kubeconfig::read_from(path)?))
}

/// Puts what flags say into the entries that the context leads to, and leaves only these. Gives the context's name.
fn chosen_context(file: &mut Kubeconfig, flags: &Connection) -> Result<String, Error> {
    let name = flags.context.clone().or_else(|| file.current_context.clone()).unwrap_or_default();
    let found = file.contexts.iter().find(|context| context.name == name).and_then(|named| named.context.clone());
    let mut context = match found {
        Some(context) => context,
        None if flags.context.is_none() && name.is_empty() && (flags.server.is_some() || flags.cluster.is_some()) => {
            Context::default()
        }
        None => return Err(no_context(file, &name)),
    };
    context.cluster = flags.cluster.clone().unwrap_or(context.cluster);
    context.user = flags.user.clone().or(context.user);

    let cluster =
        file.clusters.iter().find(|named| named.name == context.cluster).and_then(|named| named.cluster.clone());
    let mut cluster = match cluster {
        Some(cluster) => cluster,
        None if flags.server.is_some() => ClusterEntry::default(),
        None => {
            return Err(Error::new(
                format!("the kubeconfig has no cluster {:?}, which context {name:?} names", context.cluster),
                "see which there are: kubectl config get-clusters",
            ));
        }
    };
    let wanted = context.user.clone().unwrap_or_default();
    let user = file.auth_infos.iter().find(|named| named.name == wanted).and_then(|named| named.auth_info.clone());
    let mut user = match user {
        Some(user) => user,
        None if flags.user.is_none() => AuthInfo::default(),
        None => {
            return Err(Error::new(
                format!("the kubeconfig has no user {wanted:?}"),
                "see which there are: kubectl config get-users",
            ));
        }
    };
    override_cluster(&mut cluster, flags);
    override_user(&mut user, flags);

    context.user = Some(wanted.clone());
    let cluster_name = context.cluster.clone();
    file.clusters = vec![NamedCluster { name: cluster_name, cluster: Some(cluster), ..NamedCluster::default() }];
    file.auth_infos = vec![NamedAuthInfo { name: wanted, auth_info: Some(user), ..NamedAuthInfo::default() }];
    file.contexts = vec![NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() }];
    Ok(name)
}

fn override_cluster(cluster: &mut ClusterEntry, flags: &Connection) {
    if let Some(server) = &flags.server {
        cluster.server = Some(server.clone());
    }
    if let Some(name) = &flags.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if flags.insecure_skip_tls_verify {
        cluster.insecure_skip_tls_verify = Some(true);
    }
    if let Some(path) = &flags.certificate_authority {
        cluster.certificate_authority = Some(path.display().to_string());
        cluster.certificate_authority_data = None;
    }
}

fn override_user(user: &mut AuthInfo, flags: &Connection) {
    if let Some(token) = &flags.token {
        // A token given by hand stands before whatever else would give one.
        user.token = Some(token.clone().into());
        user.token_file = None;
        user.exec = None;
        user.auth_provider = None;
    }
    let path = |path: &PathBuf| Some(path.display().to_string());
    if let Some(certificate) = &flags.client_certificate {
        user.client_certificate = path(certificate);
        user.client_certificate_data = None;
    }
    if let Some(key) = &flags.client_key {
        user.client_key = path(key);
        user.client_key_data = None;
    }
    if let Some(name) = &flags.impersonate {
        user.impersonate = Some(name.clone());
    }
    if let Some(uid) = &flags.impersonate_uid {
        user.impersonate_uid = Some(uid.clone());
    }
    if !flags.impersonate_group.is_empty() {
        user.impersonate_groups = Some(flags.impersonate_group.clone());
    }
}

fn no_context(file: &Kubeconfig, name: &str) -> Error {
    let known: Vec<&str> = file.contexts.iter().map(|context| context.name.as_str()).collect();
    if known.is_empty() {
        return Error::new(
            "there is no cluster to talk to: no kubeconfig with a context was found",
            "start one with `minikube start`, or name a kubeconfig by --kubeconfig or the variable KUBECONFIG",
        );
    }
    let message = match name {
        "" => "the kubeconfig has no current context".to_owned(),
        name => format!("the kubeconfig has no context {name:?}"),
    };
    Error::new(message, format!("choose one by --context: {}", known.join(", ")))
}

fn unusable(error: &KubeconfigError, context: &str) -> Error {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    Error::new(
        format!("the kubeconfig's context {context:?} cannot be used: {error}{}", source.unwrap_or_default()),
        "see what kubectl makes of it: kubectl config view --minify",
    )
}

/// The proxy on the way to a server: the one of the kubeconfig's cluster, or else the environment's, if it is for this
/// server. As in kubectl, no proxy of the environment is used for this machine itself.
fn proxy_for(server: &Uri, configured: Option<String>) -> Result<Option<Uri>, Error> {
    let from_environment = || {
        let host = server.host().unwrap_or_default().trim_matches(['[', ']']);
        let is_local = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        let intercepted = !is_local && Matcher::from_env().intercept(server).is_some();
        let named = |name| env::var(name).ok().filter(|value| !value.is_empty());
        if intercepted { named("HTTPS_PROXY").or_else(|| named("https_proxy")) } else { None }
    };
    let Some(text) = configured.filter(|url| !url.is_empty()).or_else(from_environment) else { return Ok(None) };
    let url = if text.contains("://") { text.clone() } else { format!("http://{text}") };
    url.parse().map(Some).map_err(|error| {
        Error::new(
            format!("the proxy's address {text:?} cannot be used: {error}"),
            "it comes from the kubeconfig's proxy-url or from the variable HTTPS_PROXY: correct it there",
        )
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    const FILE: &str = "
        current-context: one
        contexts:
        - {name: one, context: {cluster: c1, user: u1, namespace: alice}}
        - {name: two, context: {cluster: c2, user: u2}}
        clusters:
        - {name: c1, cluster: {server: 'https://one:6443', proxy-url: 'http://proxy:3128'}}
        - {name: c2, cluster: {server: 'https://two:6443'}}
        users:
        - {name: u1, user: {token: first}}
        - {name: u2, user: {token: second}}";

    fn choose(flags: &Connection) -> Result<(String, Kubeconfig), Error> {
        let mut file = Kubeconfig::from_yaml(FILE).unwrap();
        chosen_context(&mut file, flags).map(|name| (name, file))
    }

    fn server(file: &Kubeconfig) -> &str {
        file.clusters[0].cluster.as_ref().unwrap().server.as_deref().unwrap()
    }

    #[test]
    fn commands_are_kept_for_as_long_as_somebody_asks() {
        let ctx = Ctx::new(Cli::try_parse_from(["kubectl-kubecoin"]).unwrap().global);
        ctx.show(|| unreachable!("nobody asks"));
        ctx.keep_commands();
        ctx.show(|| "one".to_owned());
        ctx.show(|| "two".to_owned());
        assert_eq!(ctx.kept_commands(), ["one", "two"]);
        ctx.show(|| unreachable!("nobody asks any more"));
        assert_eq!(ctx.kept_commands(), [""; 0]);
    }

    #[test]
    fn the_current_context_is_used_unless_another_is_named() {
        let (name, file) = choose(&Connection::default()).unwrap();
        assert_eq!((name.as_str(), server(&file)), ("one", "https://one:6443"));
        let other = Connection { context: Some("two".to_owned()), ..Connection::default() };
        let (name, file) = choose(&other).unwrap();
        assert_eq!((name.as_str(), server(&file)), ("two", "https://two:6443"));
    }

    #[test]
    fn flags_stand_before_the_file() {
        let flags = Connection {
            cluster: Some("c2".to_owned()),
            user: Some("u2".to_owned()),
            server: Some("https://three".to_owned()),
            impersonate: Some("eve".to_owned()),
            ..Connection::default()
        };
        let (_, file) = choose(&flags).unwrap();
        assert_eq!(server(&file), "https://three");
        let user = file.auth_infos[0].auth_info.as_ref().unwrap();
        assert_eq!(file.auth_infos[0].name, "u2");
        assert_eq!(user.impersonate.as_deref(), Some("eve"));
    }

    #[test]
    fn what_is_not_there_is_named_together_with_what_is() {
        let refused = |flags| choose(&flags).unwrap_err();
        let error = refused(Connection { context: Some("three".to_owned()), ..Connection::default() });
        assert!(error.to_string().contains("three"));
        assert!(format!("{error:?}").contains("one, two"), "{error:?}");
        let error = refused(Connection { cluster: Some("c3".to_owned()), ..Connection::default() });
        assert!(error.to_string().contains("c3"));
        let error = refused(Connection { user: Some("u3".to_owned()), ..Connection::default() });
        assert!(error.to_string().contains("u3"));
    }

    #[test]
    fn a_server_alone_is_enough() {
        let mut file = Kubeconfig::default();
        let flags = Connection { server: Some("https://x".to_owned()), ..Connection::default() };
        assert_eq!(chosen_context(&mut file, &flags).unwrap(), "");
        assert_eq!(server(&file), "https://x");
        assert!(chosen_context(&mut Kubeconfig::default(), &Connection::default()).is_err());
    }

    #[test]
    fn the_clusters_own_proxy_needs_no_scheme() {
        let server = "https://one:6443".parse().unwrap();
        let proxy = |configured: &str| proxy_for(&server, Some(configured.to_owned()));
        assert_eq!(proxy("http://proxy:3128").unwrap().unwrap(), "http://proxy:3128");
        assert_eq!(proxy("proxy:3128").unwrap().unwrap().host(), Some("proxy"));
        assert!(proxy("http://pro xy").unwrap_err().to_string().contains("pro xy"));
    }
}
