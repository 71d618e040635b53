//! The entries that the context leads to, with what flags say put into them.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use super::file::{Cluster, Context, Entries, Kubeconfig, User};
use crate::error::Error;
use crate::flags::Connection;
use crate::text::{Hint, nearest};

/// What the context leads to.
#[derive(Debug)]
pub struct Chosen {
    /// The context's name; empty if none is used.
    pub context: String,
    /// The namespace that a flag or the context names; empty if neither does.
    pub namespace: String,
    pub cluster: Named<Cluster>,
    pub user: Named<User>,
    /// The names of all contexts.
    pub known_contexts: Vec<String>,
    /// Files that were looked for and are not there.
    pub missing: Vec<PathBuf>,
}

/// An entry with flags put into it.
#[derive(Debug)]
pub struct Named<T> {
    /// What kind of entry it is: `user`.
    pub kind: &'static str,
    /// Its name; empty if none is named.
    pub name: String,
    /// The file that it stands in; none if there is no such entry.
    pub file: Option<PathBuf>,
    /// What it says, and what flags say in its place.
    pub says: T,
}

/// As messages name it: `user "bob" in /home/bob/.kube/config`.
impl<T> Display for Named<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{} {:?} in {}", self.kind, self.name, file.display()),
            None => write!(f, "{} {:?}", self.kind, self.name),
        }
    }
}

impl<T> Named<T> {
    /// A field of it as messages name it, or the flag that was given in its place.
    pub fn field(&self, field: &str, flag: bool) -> String {
        if flag { format!("--{field}") } else { format!("{field} of {self}") }
    }

    fn find(kind: &'static str, name: String, mut entries: Entries<T>) -> Self
    where
        T: Default,
    {
        match entries.remove(&name) {
            Some(entry) => Self { kind, name, file: Some(entry.file), says: entry.says },
            None => Self { kind, name, file: None, says: T::default() },
        }
    }
}

/// Chooses as kubectl does. An entry that only the context names may be missing: flags can stand in for it.
///
/// # Errors
/// If there is no such context, or an entry cannot be meant as it is.
pub fn choose(file: Kubeconfig, flags: &Connection) -> Result<Chosen, Error> {
    let (name, context) = context(&file, flags)?;
    let cluster_name = flags.cluster.clone().unwrap_or(context.cluster);
    let user_name = flags.user.clone().unwrap_or(context.user);
    for (kind, wanted, known) in [
        ("cluster", &flags.cluster, file.clusters.keys().map(String::as_str).collect::<Vec<_>>()),
        ("user", &flags.user, file.users.keys().map(String::as_str).collect()),
    ] {
        if let Some(wanted) = wanted.as_deref().filter(|wanted| !known.contains(wanted)) {
            return Err(Error::new(
                format!("the kubeconfig has no {kind} {wanted:?}"),
                nearest_of(&format!("--{kind}"), wanted, known),
            ));
        }
    }
    let mut cluster = Named::find("cluster", cluster_name, file.clusters);
    let mut user = Named::find("user", user_name, file.users);
    override_cluster(&mut cluster.says, flags);
    override_user(&mut user.says, flags);
    check_cluster(&cluster, flags).map_err(|why| unusable(&why, &name, flags))?;
    check_user(&user, flags).map_err(|why| unusable(&why, &name, flags))?;
    let namespace = flags.namespace.clone().unwrap_or(context.namespace);
    let known_contexts = file.contexts.into_keys().collect();
    Ok(Chosen { context: name, namespace, cluster, user, known_contexts, missing: file.missing })
}

/// An error on an entry that is used.
pub fn unusable(why: &str, context: &str, flags: &Connection) -> Error {
    let of = if context.is_empty() { String::new() } else { format!("context {context:?}: ") };
    let view = flags.by_hand().kubectl_of_cluster("config view --minify");
    Error::new(format!("{of}{why}"), view.to("see what kubectl reads"))
}

/// A hint to names of the kubeconfig: those that are spelled most like what was asked for.
pub fn nearest_of<'a>(flag: &str, wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Hint {
    match nearest(wanted, known).as_slice() {
        [] => format!("omit {flag}, or choose another kubeconfig with --kubeconfig or the variable KUBECONFIG").into(),
        nearest => format!("choose one with {flag}: {}", nearest.join(", ")).into(),
    }
}

fn context(file: &Kubeconfig, flags: &Connection) -> Result<(String, Context), Error> {
    let name = flags.context.clone().unwrap_or_else(|| file.current_context.clone());
    match file.contexts.get(&name) {
        Some(entry) => Ok((name, entry.says.clone())),
        None if name.is_empty() => Ok((name, Context::default())),
        None => {
            let hint = nearest_of("--context", &name, file.contexts.keys().map(String::as_str));
            Err(Error::new(format!("the kubeconfig has no context {name:?}"), hint))
        }
    }
}

fn override_cluster(cluster: &mut Cluster, flags: &Connection) {
    if flags.insecure_skip_tls_verify || flags.certificate_authority.is_some() {
        cluster.insecure = flags.insecure_skip_tls_verify;
        cluster.authority = flags.certificate_authority.as_deref().map(shown).unwrap_or_default();
        cluster.authority_data.clear();
    }
    // Another server has another name, whatever the file says of the first.
    if flags.server.is_some() || flags.tls_server_name.is_some() {
        cluster.tls_server_name = flags.tls_server_name.clone().unwrap_or_default();
    }
    if let Some(server) = &flags.server {
        cluster.server.clone_from(server);
    }
    if let Some(proxy) = &flags.proxy_url {
        cluster.proxy_url.clone_from(proxy);
    }
}

fn override_user(user: &mut User, flags: &Connection) {
    if let Some(certificate) = &flags.client_certificate {
        user.certificate = shown(certificate);
        user.certificate_data.clear();
    }
    if let Some(key) = &flags.client_key {
        user.key = shown(key);
        user.key_data.clear();
    }
    for (given, field) in [
        (&flags.token, &mut user.token),
        (&flags.impersonate, &mut user.impersonate),
        (&flags.impersonate_uid, &mut user.impersonate_uid),
        (&flags.username, &mut user.username),
        (&flags.password, &mut user.password),
    ] {
        if let Some(given) = given {
            field.clone_from(given);
        }
    }
    if !flags.impersonate_group.is_empty() {
        user.impersonate_groups.clone_from(&flags.impersonate_group);
    }
    for (key, _) in &flags.impersonate_extra {
        user.impersonate_extra.remove(key);
    }
    for (key, value) in &flags.impersonate_extra {
        user.impersonate_extra.entry(key.clone()).or_default().push(value.clone());
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn check_cluster(cluster: &Named<Cluster>, flags: &Connection) -> Result<(), String> {
    let says = &cluster.says;
    if !says.authority.is_empty() && !says.authority_data.is_empty() {
        return Err(format!("both certificate-authority and certificate-authority-data are given for {cluster}"));
    }
    let field = cluster.field("certificate-authority", flags.certificate_authority.is_some());
    can_be_opened(&says.authority, &field)
}

fn check_user(user: &Named<User>, flags: &Connection) -> Result<(), String> {
    let says = &user.says;
    if !says.token.is_empty() && (!says.username.is_empty() || !says.password.is_empty()) {
        return Err(format!("both token and username or password are given for {user}: only one is allowed"));
    }
    if !says.certificate.is_empty() || !says.certificate_data.is_empty() {
        check_certificate(user, flags)?;
    }
    if let Some(exec) = &says.exec {
        let wrong = match exec.interactive_mode.as_str() {
            _ if says.auth_provider.is_some() => "both exec and auth-provider are given",
            _ if exec.command.is_empty() => "exec has no command",
            _ if exec.api_version.is_empty() => "exec has no apiVersion",
            _ if exec.env.iter().any(|(name, _)| name.is_empty()) => "exec has a variable in env without a name",
            "Never" | "IfAvailable" | "Always" => return check_impersonation(user),
            "" => "exec has no interactiveMode",
            _ => "interactiveMode of exec must be Never, IfAvailable or Always",
        };
        return Err(format!("{wrong} for {user}"));
    }
    check_impersonation(user)
}

fn check_certificate(user: &Named<User>, flags: &Connection) -> Result<(), String> {
    let says = &user.says;
    for (field, path, data) in
        [("client-certificate", &says.certificate, &says.certificate_data), ("client-key", &says.key, &says.key_data)]
    {
        if !path.is_empty() && !data.is_empty() {
            return Err(format!("both {field} and {field}-data are given for {user}"));
        }
    }
    if says.key.is_empty() && says.key_data.is_empty() {
        return Err(format!("a client certificate is given for {user}, but neither client-key nor client-key-data"));
    }
    can_be_opened(&says.certificate, &user.field("client-certificate", flags.client_certificate.is_some()))?;
    can_be_opened(&says.key, &user.field("client-key", flags.client_key.is_some()))
}

fn check_impersonation(user: &Named<User>) -> Result<(), String> {
    let says = &user.says;
    let given = [
        ("as-uid", !says.impersonate_uid.is_empty()),
        ("as-groups", !says.impersonate_groups.is_empty()),
        ("as-user-extra", !says.impersonate_extra.is_empty()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((field, _)) if says.impersonate.is_empty() => {
            Err(format!("{field} is given for {user}, but no user to impersonate: give one with --as"))
        }
        _ => Ok(()),
    }
}

/// Whether a file that is named can be opened. None is named by an empty path.
fn can_be_opened(path: &str, field: &str) -> Result<(), String> {
    if path.is_empty() {
        return Ok(());
    }
    let opened = std::fs::File::open(Path::new(path));
    opened.map(drop).map_err(|error| format!("could not read {path}, the {field}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    const FILE: &str = "
        current-context: one
        contexts:
        - {name: one, context: {cluster: c1, user: u1, namespace: alice}}
        - {name: two, context: {cluster: c2, user: u2}}
        - {name: three, context: {cluster: c3, user: u3}}
        clusters:
        - {name: c1, cluster: {server: 'https://one:6443', tls-server-name: uno, certificate-authority-data: YQ==}}
        - {name: c2, cluster: {server: 'https://two:6443'}}
        users:
        - {name: u1, user: {token: first}}
        - {name: u2, user: {token: second, as-user-extra: {a: [b], c: [d]}, as: eve}}
        - {name: twice, user: {token: a, password: b}}
        - {name: keyless, user: {client-certificate-data: YQ==}}
        - {name: lost, user: {client-certificate: /nowhere/crt, client-key-data: YQ==}}
        - {name: nobody, user: {as-groups: [system:masters]}}
        - {name: modeless, user: {exec: {command: c, apiVersion: client.authentication.k8s.io/v1}}}";

    fn chosen(flags: &Connection) -> Result<Chosen, Error> {
        choose(file::parse(FILE.as_bytes(), Path::new("/k/config")).unwrap(), flags)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the flags have it")]
    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_current_context_is_used_unless_another_is_named() {
        let one = chosen(&Connection::default()).unwrap();
        assert_eq!((one.context.as_str(), one.namespace.as_str()), ("one", "alice"));
        assert_eq!((one.cluster.says.server.as_str(), one.user.says.token.as_str()), ("https://one:6443", "first"));
        let two =
            chosen(&Connection { context: some("two"), namespace: some("bob"), ..Connection::default() }).unwrap();
        assert_eq!((two.cluster.says.server.as_str(), two.namespace.as_str()), ("https://two:6443", "bob"));
    }

    #[test]
    fn flags_stand_before_the_file() {
        let flags = Connection {
            cluster: some("c2"),
            user: some("u2"),
            server: some("https://three"),
            impersonate_extra: vec![("a".to_owned(), "x".to_owned())],
            ..Connection::default()
        };
        let chosen = chosen(&flags).unwrap();
        assert_eq!(chosen.cluster.says.server, "https://three");
        assert_eq!(chosen.user.to_string(), "user \"u2\" in /k/config");
        let extra = &chosen.user.says.impersonate_extra;
        assert_eq!((extra["a"].as_slice(), extra["c"].as_slice()), (&["x".to_owned()][..], &["d".to_owned()][..]));
    }

    #[test]
    fn another_server_or_trust_puts_the_files_aside() {
        let server = chosen(&Connection { server: some("https://x"), ..Connection::default() }).unwrap();
        assert_eq!(server.cluster.says.tls_server_name, "");
        assert_eq!(server.cluster.says.authority_data, b"a");
        let trusting = chosen(&Connection { insecure_skip_tls_verify: true, ..Connection::default() }).unwrap();
        assert_eq!((trusting.cluster.says.insecure, trusting.cluster.says.authority_data.len()), (true, 0));
    }

    #[test]
    fn an_entry_that_only_the_context_names_may_be_missing() {
        let three = chosen(&Connection { context: some("three"), ..Connection::default() }).unwrap();
        assert_eq!((three.cluster.says.server.as_str(), three.cluster.file, three.user.file), ("", None, None));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let of_user = |name| Connection { user: some(name), ..Connection::default() };
        for (flags, named) in [
            (Connection { context: some("four"), ..Connection::default() }, "no context \"four\""),
            (Connection { cluster: some("c4"), ..Connection::default() }, "no cluster \"c4\""),
            (of_user("u4"), "no user \"u4\""),
            (of_user("twice"), "both token and username or password are given for user \"twice\" in /k/config"),
            (of_user("keyless"), "neither client-key nor client-key-data"),
            (of_user("lost"), "/nowhere/crt, the client-certificate of user \"lost\" in /k/config"),
            (of_user("nobody"), "as-groups is given for user \"nobody\" in /k/config, but no user"),
            (of_user("modeless"), "exec has no interactiveMode for user \"modeless\""),
            (Connection { client_key: Some("/nowhere/key".into()), ..of_user("keyless") }, "the --client-key"),
        ] {
            let error = chosen(&flags).unwrap_err().to_string();
            assert!(error.contains(named), "{named}: {error}");
        }
    }
}
