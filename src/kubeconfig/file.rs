//! One kubeconfig file: what its entries say, read as leniently and as strictly as kubectl reads them.
//!
//! The forms are those of client-go, `tools/clientcmd/api/v1`. Values that are missing or null are empty, unknown ones do not
//! matter, and a value of another type refuses the whole file. No message holds a value: any may be a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What a kubeconfig holds, of one file or merged from several.
#[derive(Clone, Debug, Default)]
pub struct Kubeconfig {
    /// The context that is used if none is named; empty if there is none.
    pub current_context: String,
    /// The contexts by name.
    pub contexts: Entries<Context>,
    /// The clusters by name.
    pub clusters: Entries<Cluster>,
    /// The users by name.
    pub users: Entries<User>,
    /// Files that were looked for and are not there.
    pub missing: Vec<PathBuf>,
}

/// Entries by name.
pub type Entries<T> = BTreeMap<String, Entry<T>>;

/// An entry, and the file that it stands in.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    pub file: PathBuf,
    /// What it says.
    pub says: T,
}

/// A cluster and a user by name, and a namespace. Empty is not given.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The cluster's name.
    pub cluster: String,
    /// The user's name.
    pub user: String,
    pub namespace: String,
}

/// How a server is reached. Empty is not given.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// `server`: an address, with or without a scheme.
    pub server: String,
    /// `tls-server-name`.
    pub tls_server_name: String,
    /// `insecure-skip-tls-verify`.
    pub insecure: bool,
    /// `certificate-authority`: a file.
    pub authority: String,
    /// `certificate-authority-data`: PEM.
    pub authority_data: Vec<u8>,
    pub proxy_url: String,
    /// `disable-compression`, of which only plugins are told.
    pub disable_compression: bool,
    /// What the extension for credential plugins holds.
    pub exec_config: Option<Value>,
}

/// Who one is. Empty is not given.
#[derive(Clone, Default)]
pub struct User {
    /// `client-certificate`: a file.
    pub certificate: String,
    /// `client-certificate-data`: PEM.
    pub certificate_data: Vec<u8>,
    /// `client-key`: a file.
    pub key: String,
    /// `client-key-data`: PEM.
    pub key_data: Vec<u8>,
    pub token: String,
    /// `tokenFile`: a file.
    pub token_file: String,
    /// `as`.
    pub impersonate: String,
    /// `as-uid`.
    pub impersonate_uid: String,
    /// `as-groups`.
    pub impersonate_groups: Vec<String>,
    /// `as-user-extra`.
    pub impersonate_extra: BTreeMap<String, Vec<String>>,
    pub username: String,
    pub password: String,
    pub auth_provider: Option<AuthProvider>,
    pub exec: Option<Exec>,
}

/// Most of it is secret.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

/// The way to log in that was there before credential plugins.
#[derive(Clone, Default)]
pub struct AuthProvider {
    /// Its name: `oidc`.
    pub name: String,
    /// What it is given.
    pub config: BTreeMap<String, String>,
}

/// A credential plugin.
#[derive(Clone, Default)]
pub struct Exec {
    /// `command`: a name to look up in PATH, or a path.
    pub command: String,
    pub args: Vec<String>,
    /// `env`, in its order.
    pub env: Vec<(String, String)>,
    /// `apiVersion`.
    pub api_version: String,
    /// `installHint`.
    pub install_hint: String,
    /// `provideClusterInfo`.
    pub provide_cluster_info: bool,
    /// `interactiveMode`; empty if it is not said and the version asks for it.
    pub interactive_mode: String,
}

/// The cluster's extension that is meant for credential plugins.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Reads the text of a file. Relative paths in it are meant from the file's folder.
///
/// # Errors
/// In words, if it is no kubeconfig.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Kubeconfig, String> {
    let document = document(bytes)?;
    let root = Field { value: Some(&document), path: String::new() };
    let top = root.object()?;
    for (field, expected) in [("kind", "Config"), ("apiVersion", "v1")] {
        let said = root.member(top, field).text()?;
        if !said.is_empty() && said != expected {
            return Err(format!("its {field} is not {expected}"));
        }
    }
    let folder = path.parent().map_or_else(PathBuf::new, absolute);
    Ok(Kubeconfig {
        current_context: root.member(top, "current-context").text()?,
        contexts: entries(&root.member(top, "contexts"), "context", path, context)?,
        clusters: entries(&root.member(top, "clusters"), "cluster", path, |field| cluster(field, &folder))?,
        users: entries(&root.member(top, "users"), "user", path, |field| user(field, &folder))?,
        missing: Vec::new(),
    })
}

/// The first document of the text, as YAML or JSON.
fn document(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    let documents: Result<Vec<Value>, _> = serde_saphyr::from_multiple_with_options(text, options);
    match documents {
        Ok(documents) => Ok(documents.into_iter().next().unwrap_or_default()),
        // The library's own words quote the text, and that may be a secret.
        Err(error) => Err(match error.location() {
            Some(place) => format!("it is not valid YAML at line {}, column {}", place.line(), place.column()),
            None => "it is not valid YAML".to_owned(),
        }),
    }
}

fn entries<T>(
    list: &Field,
    kind: &str,
    file: &Path,
    read: impl Fn(&Field) -> Result<T, String>,
) -> Result<Entries<T>, String> {
    let mut entries = Entries::new();
    for item in list.items()? {
        let object = item.object()?;
        let name = item.member(object, "name").text()?;
        // From here on, the entry is named rather than counted.
        let body = Field { path: format!("{kind} {name:?}"), ..item.member(object, kind) };
        let says = read(&body)?;
        if entries.insert(name.clone(), Entry { file: file.to_owned(), says }).is_some() {
            return Err(format!("it has more than one {kind} {name:?}"));
        }
    }
    Ok(entries)
}

fn context(field: &Field) -> Result<Context, String> {
    let object = field.object()?;
    let text = |name| field.member(object, name).text();
    Ok(Context { cluster: text("cluster")?, user: text("user")?, namespace: text("namespace")? })
}

fn cluster(field: &Field, folder: &Path) -> Result<Cluster, String> {
    let object = field.object()?;
    let member = |name| field.member(object, name);
    Ok(Cluster {
        server: member("server").text()?,
        tls_server_name: member("tls-server-name").text()?,
        insecure: member("insecure-skip-tls-verify").flag()?,
        authority: member("certificate-authority").path(folder)?,
        authority_data: member("certificate-authority-data").base64()?,
        proxy_url: member("proxy-url").text()?,
        disable_compression: member("disable-compression").flag()?,
        exec_config: exec_config(&member("extensions"))?,
    })
}

fn exec_config(extensions: &Field) -> Result<Option<Value>, String> {
    for item in extensions.items()? {
        let object = item.object()?;
        if item.member(object, "name").text()? == EXEC_EXTENSION {
            return Ok(item.member(object, "extension").value.cloned());
        }
    }
    Ok(None)
}

fn user(field: &Field, folder: &Path) -> Result<User, String> {
    let object = field.object()?;
    let member = |name| field.member(object, name);
    Ok(User {
        certificate: member("client-certificate").path(folder)?,
        certificate_data: member("client-certificate-data").base64()?,
        key: member("client-key").path(folder)?,
        key_data: member("client-key-data").base64()?,
        token: member("token").text()?,
        token_file: member("tokenFile").path(folder)?,
        impersonate: member("as").text()?,
        impersonate_uid: member("as-uid").text()?,
        impersonate_groups: member("as-groups").texts()?,
        impersonate_extra: member("as-user-extra").each(Field::texts)?,
        username: member("username").text()?,
        password: member("password").text()?,
        auth_provider: member("auth-provider").given(auth_provider)?,
        exec: member("exec").given(|field| exec(field, folder))?,
    })
}

fn auth_provider(field: &Field) -> Result<AuthProvider, String> {
    let object = field.object()?;
    Ok(AuthProvider {
        name: field.member(object, "name").text()?,
        config: field.member(object, "config").each(Field::text)?,
    })
}

fn exec(field: &Field, folder: &Path) -> Result<Exec, String> {
    let object = field.object()?;
    let member = |name| field.member(object, name);
    let command = member("command");
    let is_path = command.text()?.contains('/');
    let api_version = member("apiVersion").text()?;
    let mut interactive_mode = member("interactiveMode").text()?;
    // Older versions of the API have no such field.
    if interactive_mode.is_empty() && !api_version.is_empty() && !api_version.ends_with("/v1") {
        "IfAvailable".clone_into(&mut interactive_mode);
    }
    let env = member("env").items()?.into_iter().map(|item| {
        let object = item.object()?;
        Ok((item.member(object, "name").text()?, item.member(object, "value").text()?))
    });
    Ok(Exec {
        command: if is_path { command.path(folder)? } else { command.text()? },
        args: member("args").texts()?,
        env: env.collect::<Result<_, String>>()?,
        api_version,
        install_hint: member("installHint").text()?,
        provide_cluster_info: member("provideClusterInfo").flag()?,
        interactive_mode,
    })
}

/// A value and where it stands, for messages.
struct Field<'a> {
    value: Option<&'a Value>,
    path: String,
}

impl<'a> Field<'a> {
    fn wrong(&self, expected: &str) -> String {
        let found = match self.value {
            Some(Value::Bool(_)) => "true or false",
            Some(Value::Number(_)) => "a number",
            Some(Value::String(_)) => "text",
            Some(Value::Array(_)) => "a list",
            Some(Value::Object(_)) => "a map",
            Some(Value::Null) | None => "nothing",
        };
        let quotes = if expected == "text" && !found.starts_with('a') { ": put it in quotes" } else { "" };
        match self.path.as_str() {
            "" => format!("it holds {found}, not {expected}"),
            path => format!("{path} is {found}, not {expected}{quotes}"),
        }
    }

    fn member(&self, object: Object<'a>, name: &str) -> Field<'a> {
        let value = object.and_then(|object| object.get(name));
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}: {name}", self.path) };
        Field { value, path }
    }

    fn object(&self) -> Result<Object<'a>, String> {
        match self.value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(self.wrong("a map")),
        }
    }

    fn items(&self) -> Result<Vec<Field<'a>>, String> {
        let items = match self.value {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong("a list")),
        };
        let item = |(index, value)| Field { value: Some(value), path: format!("{}[{index}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    fn each<T>(&self, read: impl Fn(&Field<'a>) -> Result<T, String>) -> Result<BTreeMap<String, T>, String> {
        let members = self.object()?.into_iter().flatten();
        members
            .map(|(name, value)| {
                let field = Field { value: Some(value), path: format!("{}: {name}", self.path) };
                Ok((name.clone(), read(&field)?))
            })
            .collect()
    }

    /// Nothing for null, which stands for a value that is not given.
    fn given<T>(&self, read: impl FnOnce(&Field<'a>) -> Result<T, String>) -> Result<Option<T>, String> {
        match self.value {
            None | Some(Value::Null) => Ok(None),
            Some(_) => read(self).map(Some),
        }
    }

    fn text(&self) -> Result<String, String> {
        match self.value {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.wrong("text")),
        }
    }

    fn texts(&self) -> Result<Vec<String>, String> {
        self.items()?.iter().map(Field::text).collect()
    }

    fn flag(&self) -> Result<bool, String> {
        match self.value {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            // YAML 1.1's, which kubectl reads too.
            Some(Value::String(text)) if matches!(&*text.to_ascii_lowercase(), "yes" | "on" | "y") => Ok(true),
            Some(Value::String(text)) if matches!(&*text.to_ascii_lowercase(), "no" | "off" | "n") => Ok(false),
            Some(_) => Err(self.wrong("true or false")),
        }
    }

    /// A path, from the folder of its file unless it is absolute.
    fn path(&self, folder: &Path) -> Result<String, String> {
        let text = self.text()?;
        // Without the dots that mean nothing: kubectl compares it so with what it permits.
        let path = || folder.join(&text).components().collect::<PathBuf>();
        Ok(if text.is_empty() { text } else { path().display().to_string() })
    }

    /// White space is no matter: a block of YAML has its own.
    fn base64(&self) -> Result<Vec<u8>, String> {
        let text: String = self.text()?.split_ascii_whitespace().collect();
        STANDARD.decode(text).map_err(|_| format!("{} is not base64", self.path))
    }
}

/// The members of a map; none if it is not there.
type Object<'a> = Option<&'a Map<String, Value>>;

/// As seen from the folder of this process, which the plugin does not leave.
fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| std::env::current_dir().unwrap_or_default().join(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Kubeconfig, String> {
        parse(text.as_bytes(), Path::new("/etc/kube/config"))
    }

    #[test]
    fn what_is_null_missing_or_unknown_does_not_matter() {
        for text in [
            "",
            "# nothing",
            "{}",
            "clusters: null\nusers:\ncontexts: []",
            "preferences: {colors: 3}\nextensions: 7",
            "contexts: [{name: odd}, {name: odder, context: }]",
            "users: [{name: odd, user: {auth-provider: {config: null}, exec: null, token: , unknown: [1]}}]",
            "kind: Config\napiVersion: v1",
            "\u{feff}kind: Config",
            "kind: Config\n---\nkind: Pod",
        ] {
            read(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        }
    }

    #[test]
    fn a_value_of_another_type_is_named_and_not_shown() {
        for (text, named) in [
            ("users: [{name: bob, user: {token: 4711}}]", "user \"bob\": token is a number, not text"),
            ("users: [{name: bob, user: {as-groups: [a, {}]}}]", "user \"bob\": as-groups[1] is a map, not text"),
            (
                "clusters: [{name: c, cluster: {certificate-authority-data: '-4711-'}}]",
                "certificate-authority-data is not",
            ),
            (
                "clusters: [{name: c, cluster: {insecure-skip-tls-verify: 4711}}]",
                "insecure-skip-tls-verify is a number",
            ),
            ("clusters: {a: b}", "clusters is a map, not a list"),
            ("- a", "it holds a list, not a map"),
            ("kind: Pod", "its kind is not Config"),
            ("users: [{name: bob}, {name: bob}]", "more than one user \"bob\""),
            ("users:\n- name: bob\n  user: {token: 4711", "line"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{text:?}: {error}");
            assert!(!error.contains("4711"), "{error}");
        }
    }

    #[test]
    fn paths_are_meant_from_the_files_folder() {
        let file = read(
            "clusters: [{name: c, cluster: {certificate-authority: pki/ca.crt}}]
users:
- {name: u, user: {client-key: /abs/key, tokenFile: token, exec: {command: bin/log-in}}}
- {name: v, user: {exec: {command: log-in}}}",
        )
        .unwrap();
        assert_eq!(file.clusters["c"].says.authority, "/etc/kube/pki/ca.crt");
        let user = &file.users["u"].says;
        assert_eq!((user.key.as_str(), user.token_file.as_str()), ("/abs/key", "/etc/kube/token"));
        assert_eq!(user.exec.as_ref().unwrap().command, "/etc/kube/bin/log-in");
        assert_eq!(file.users["v"].says.exec.as_ref().unwrap().command, "log-in");
    }

    #[test]
    fn base64_may_be_broken_into_lines() {
        let file =
            read("clusters:\n- name: c\n  cluster:\n    certificate-authority-data: |\n      aGVs\n      bG8=\n");
        assert_eq!(file.unwrap().clusters["c"].says.authority_data, b"hello");
    }

    #[test]
    fn a_plugin_of_an_older_api_may_be_asked_at_a_terminal() {
        let mode = |version: &str| {
            let text = format!("users: [{{name: u, user: {{exec: {{command: c, apiVersion: {version}}}}}}}]");
            read(&text).unwrap().users["u"].says.exec.clone().unwrap().interactive_mode
        };
        assert_eq!(mode("client.authentication.k8s.io/v1beta1"), "IfAvailable");
        assert_eq!(mode("client.authentication.k8s.io/v1"), "");
    }
}
