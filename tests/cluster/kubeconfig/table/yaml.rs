//! How a kubeconfig is written: oddities of YAML and JSON, and entries that are not used.

use super::{NORTH, TOKEN};
use crate::kubeconfig::row::{Row, config, row};

pub fn rows() -> Vec<Row> {
    [written(), keys(), values(), unused_contexts_and_clusters(), unused_users(), named()].concat()
}

/// The usual one in block style.
const BLOCK: &str = "\
apiVersion: v1
kind: Config
current-context: work
contexts:
- name: work
  context:
    cluster: north
    user: ursula
clusters:
- name: north
  cluster:
    server: <server>
    certificate-authority: <ca>
users:
- name: ursula
  user:
    token: <token>
";

/// The block with a part in place of another.
fn instead(name: &str, old: &str, new: &str) -> Row {
    assert!(BLOCK.contains(old), "{old}");
    row(name).config(&BLOCK.replacen(old, new, 1))
}

fn written() -> Vec<Row> {
    let usual = config(NORTH, TOKEN);
    let is = |name: &str, text: &str| row(name).config(text);
    let json = r#"{"apiVersion":"v1","kind":"Config","current-context":"work",
        "contexts":[{"name":"work","context":{"cluster":"north","user":"ursula"}}],
        "clusters":[{"name":"north","cluster":{"server":"<server>","certificate-authority":"<ca>"}}],
        "users":[{"name":"ursula","user":{"token":"<token>"}}]}"#;
    vec![
        is("block style", BLOCK).reached(),
        is("JSON", json).reached(),
        is("JSON that escapes a slash", &json.replace("<server>", r"https:\/\/<host>")),
        is("JSON with tabs", &json.replace("\n ", "\n\t")).reached(),
        is("a byte order mark", &format!("\u{feff}{usual}")).reached(),
        is("lines that end as Windows ends them", &BLOCK.replace('\n', "\r\n")).reached(),
        is("a tab as indentation", &BLOCK.replacen("  context:", "\tcontext:", 1)).refused(&["config"]),
        is("two documents", &format!("{usual}---\n{{current-context: other}}\n")),
        is("a document's start and end", &format!("---\n{usual}...\n")).reached(),
        is("an empty document first", &format!("---\n---\n{usual}")),
        is("a comment at the end", &format!("{usual}# end")).reached(),
        is("a list", "- a\n- b\n").refused(&["config"]),
        is("a text", "hello\n").refused(&["config"]),
        is("a number", "5\n").refused(&["config"]),
        is("unclosed", "contexts: [").refused(&["config"]),
        is("bytes that are no text", "\u{1}\u{2}").refused(&["config"]),
    ]
}

fn keys() -> Vec<Row> {
    vec![
        instead("a key twice", "current-context: work", "current-context: other\ncurrent-context: work"),
        instead("a user's key twice", "    token: <token>", "    token: other\n    token: <token>"),
        instead("an unknown field at the top", "kind: Config", "kind: Config\nfuture: {a: [1]}").reached(),
        instead("an unknown field of a user", "    token: <token>", "    token: <token>\n    future: {a: [1]}")
            .reached(),
        instead("preferences", "kind: Config", "kind: Config\npreferences: {colors: true}").reached(),
        instead("preferences that are null", "kind: Config", "kind: Config\npreferences:").reached(),
        instead("extensions", "    user: ursula", "    user: ursula\n    extensions: [{name: e, extension: {a: 1}}]")
            .reached(),
        instead(
            "extensions of minikube",
            "    server: <server>",
            "    server: <server>\n    extensions:\n    - extension: {last-update: x, \
             provider: minikube.sigs.k8s.io, version: v1.35.0}\n      name: cluster_info",
        )
        .reached(),
        instead("no apiVersion and no kind", "apiVersion: v1\nkind: Config\n", "").reached(),
        instead("no apiVersion", "apiVersion: v1\n", "").reached(),
        instead("no kind", "kind: Config\n", "").reached(),
        instead("another apiVersion", "apiVersion: v1", "apiVersion: v2").refused(&["config", "apiVersion"]),
        instead("an empty apiVersion", "apiVersion: v1", "apiVersion: ''").reached(),
        instead("another kind", "kind: Config", "kind: Pod").refused(&["config", "kind"]),
        instead("keys in other letters", "current-context", "Current-Context"),
        instead("a user's key in other letters", "    token:", "    Token:"),
        instead("an entry's key in other letters", "- name: ursula", "- Name: ursula"),
    ]
}

fn values() -> Vec<Row> {
    vec![
        instead("a token that is a number", "token: <token>", "token: 1234").refused(&["token"]),
        instead("a token that is a boolean", "token: <token>", "token: true").refused(&["token"]),
        instead("a token that is null", "token: <token>", "token: null"),
        instead("a token that is a list", "token: <token>", "token: [a]").refused(&["token"]),
        instead("a token with spaces around", "token: <token>", "token: '  <token>  '"),
        instead("a server that is a number", "server: <server>", "server: 5").refused(&["server"]),
        instead("a boolean as text", "    server: <server>", "    server: <server>\n    disable-compression: 'true'")
            .refused(&["disable-compression"]),
        instead(
            "a boolean as YAML 1.1 wrote it",
            "    server: <server>",
            "    server: <server>\n    disable-compression: yes",
        ),
        instead(
            "an authority's field twice in other letters",
            "    server: <server>",
            "    server: <server>\n    Server: http://127.0.0.1:1",
        ),
        instead(
            "anchors",
            "  user:\n    token: <token>",
            "  user: &mine\n    token: <token>\n- name: other\n  user: *mine",
        )
        .reached(),
        instead(
            "merge keys",
            "  user:\n    token: <token>",
            "  user: &mine {token: <token>}\n- name: other\n  user: {<<: *mine}",
        )
        .reached(),
        instead(
            "a merge key of the used user",
            "users:\n- name: ursula\n  user:\n    token: <token>",
            "users:\n- name: other\n  user: &mine {token: <token>}\n- name: ursula\n  \
             user: {<<: *mine}",
        ),
        instead("an alias of nothing", "token: <token>", "token: *nothing").refused(&["config"]),
        instead("a tag", "token: <token>", "token: !!str <token>").reached(),
        instead("a tag makes a text of a number", "token: <token>", "token: !!str 1234"),
        instead("a folded text", "token: <token>", "token: >-\n      <token>").reached(),
        instead("a token in a block", "token: <token>", "token: |\n      <token>"),
        instead(
            "base64 in a block, in lines",
            "    certificate-authority: <ca>",
            "    certificate-authority-data: |\n      <ca:lines>",
        )
        .reached(),
        instead("base64 with spaces", "    certificate-authority: <ca>", "    certificate-authority-data: ' <ca:64> '"),
        instead(
            "base64 in a quoted text of lines",
            "    certificate-authority: <ca>",
            "    certificate-authority-data: \"<ca:64>\\n\"",
        ),
        instead("base64 without its end", "    certificate-authority: <ca>", "    certificate-authority-data: YQ")
            .refused(&["certificate-authority-data"]),
        instead("no base64", "    certificate-authority: <ca>", "    certificate-authority-data: '!!'")
            .refused(&["certificate-authority-data"]),
        instead(
            "base64 that is null",
            "    certificate-authority: <ca>",
            "    insecure-skip-tls-verify: true\n    certificate-authority-data: null",
        )
        .reached(),
        instead(
            "base64 that is a list of bytes",
            "    certificate-authority: <ca>",
            "    certificate-authority-data: [72, 105]",
        ),
        instead("binary", "    certificate-authority: <ca>", "    certificate-authority-data: !!binary <ca:64>"),
    ]
}

/// The block with one more entry in a list.
fn with(name: &str, list: &str, entry: &str) -> Row {
    let list = format!("{list}:\n");
    row(name).config(&BLOCK.replacen(&list, &format!("{list}- {entry}\n"), 1))
}

fn unused_contexts_and_clusters() -> Vec<Row> {
    vec![
        with("an unused context without a cluster", "contexts", "{name: idle, context: {user: ursula}}").reached(),
        with("an unused context without a user", "contexts", "{name: idle, context: {cluster: north}}").reached(),
        with("an unused context of nothing", "contexts", "{name: idle, context: {}}").reached(),
        with("an unused context that is null", "contexts", "{name: idle, context: null}").reached(),
        with("an unused context without a context", "contexts", "{name: idle}").reached(),
        with(
            "an unused context whose cluster is null",
            "contexts",
            "{name: idle, context: {cluster: null, user: null, namespace: null}}",
        )
        .reached(),
        with("an unused cluster that is null", "clusters", "{name: idle, cluster: null}").reached(),
        with("an unused cluster without a server", "clusters", "{name: idle, cluster: {}}").reached(),
        with(
            "an unused cluster with a bad server",
            "clusters",
            "{name: idle, cluster: {server: 'http://[', proxy-url: '::'}}",
        )
        .reached(),
        with(
            "an unused cluster with two authorities",
            "clusters",
            "{name: idle, cluster: {server: x, certificate-authority: none, \
             certificate-authority-data: YQ==}}",
        )
        .reached(),
        with(
            "an unused cluster with bad base64",
            "clusters",
            "{name: idle, cluster: {certificate-authority-data: '!!'}}",
        )
        .refused(&["idle", "certificate-authority-data"]),
        with("an unused cluster with unknown fields", "clusters", "{name: idle, cluster: {future: 1}, more: [2]}")
            .reached(),
    ]
}

fn unused_users() -> Vec<Row> {
    vec![
        with("an unused user that is null", "users", "{name: idle, user: null}").reached(),
        with(
            "an unused user with auth-provider",
            "users",
            "{name: idle, user: {auth-provider: {name: gcp, config: {a: b}}}}",
        )
        .reached(),
        with(
            "an unused user with auth-provider of null",
            "users",
            "{name: idle, user: {auth-provider: {name: oidc, config: null}}}",
        )
        .reached(),
        with("an unused user with auth-provider that is null", "users", "{name: idle, user: {auth-provider: null}}")
            .reached(),
        with(
            "an unused user with auth-provider without a name",
            "users",
            "{name: idle, user: {auth-provider: {config: null}}}",
        )
        .reached(),
        with(
            "an unused user whose auth-provider has a number",
            "users",
            "{name: idle, user: {auth-provider: {name: oidc, config: {a: 1}}}}",
        )
        .refused(&["idle"]),
        with("an unused user with an empty exec", "users", "{name: idle, user: {exec: {}}}").reached(),
        with("an unused user with exec of null", "users", "{name: idle, user: {exec: null}}").reached(),
        with(
            "an unused user with exec of nulls",
            "users",
            "{name: idle, user: {exec: {command: null, args: null, env: null, \
             apiVersion: null}}}",
        )
        .reached(),
        with(
            "an unused user with an odd interactiveMode",
            "users",
            "{name: idle, user: {exec: {command: a, apiVersion: b, \
             interactiveMode: Sometimes}}}",
        )
        .reached(),
        with("an unused user with a bad exec", "users", "{name: idle, user: {exec: {command: [a]}}}")
            .refused(&["idle"]),
        with(
            "an unused user whose arguments are numbers",
            "users",
            "{name: idle, user: {exec: {command: a, args: [1]}}}",
        )
        .refused(&["idle"]),
        with(
            "an unused user with missing files",
            "users",
            "{name: idle, user: {client-certificate: none, client-key: none, tokenFile: none}}",
        )
        .reached(),
        with("an unused user with bad base64", "users", "{name: idle, user: {client-key-data: '!'}}")
            .refused(&["idle", "client-key-data"]),
        with("an unused user with a number as token", "users", "{name: idle, user: {token: 5}}")
            .refused(&["idle", "token"]),
        with(
            "an unused user with everything",
            "users",
            "{name: idle, user: {token: a, username: b, password: c, as-uid: d, exec: {}}}",
        )
        .reached(),
        with(
            "an unused user who acts as lists of null",
            "users",
            "{name: idle, user: {as: null, as-groups: null, as-user-extra: null}}",
        )
        .reached(),
        with("an unused entry that is null", "users", "null").reached(),
        with("an unused entry that is empty", "users", "{}").reached(),
        with("an unused entry that is a text", "users", "idle").refused(&["users"]),
        with("an unused entry without a name", "users", "{user: {token: x}}").reached(),
        row("lists that are null").config("clusters: null\ncontexts: null\nusers: null\n").refused(&[]),
        row("a list that is a map")
            .config(
                &BLOCK
                    .replace("users:\n- name: ursula\n  user:\n    token: <token>\n", "users: {ursula: {token: x}}\n"),
            )
            .refused(&["users"]),
    ]
}

fn named() -> Vec<Row> {
    let instead = |name: &str, pairs: &[(&str, &str)]| {
        let text = pairs.iter().fold(BLOCK.to_owned(), |text, (old, new)| {
            assert!(text.contains(old), "{old}");
            text.replacen(old, new, 1)
        });
        row(name).config(&text)
    };
    vec![
        instead("two users of a name", &[("users:\n", "users:\n- {name: ursula, user: {token: other}}\n")]),
        instead(
            "two clusters of a name",
            &[("clusters:\n", "clusters:\n- {name: north, cluster: {server: 'http://127.0.0.1:1'}}\n")],
        ),
        instead("two contexts of a name", &[("contexts:\n", "contexts:\n- {name: work, context: {}}\n")]),
        instead("two equal users of a name", &[("users:\n", "users:\n- {name: ursula, user: {token: <token>}}\n")]),
        instead("a name that is a number", &[("- name: ursula", "- name: 1"), ("user: ursula", "user: 1")])
            .refused(&["user is a number"]),
        instead(
            "a name that is a number in quotes",
            &[("- name: ursula", "- name: '1'"), ("user: ursula", "user: '1'")],
        )
        .reached(),
        instead("a current-context that is a number", &[("current-context: work", "current-context: 1")])
            .refused(&["current-context"]),
        instead(
            "names with spaces and signs",
            &[("current-context: work", "current-context: my (dev) $HOME"), ("- name: work", "- name: my (dev) $HOME")],
        )
        .reached(),
        instead(
            "a name with a slash and an at",
            &[("- name: ursula", "- name: a@b/c:d"), ("user: ursula", "user: a@b/c:d")],
        )
        .reached(),
        instead(
            "an empty context's name",
            &[("current-context: work", "current-context: ''"), ("- name: work", "- name: ''")],
        )
        .reached(),
        instead("a context without a cluster", &[("    cluster: north\n", "")]).refused(&["work", "cluster"]),
        instead("a context without a user", &[("    user: ursula\n", "")]).refused(&["work", "user"]),
        instead("a context with an empty user", &[("user: ursula", "user: ''")]).refused(&["work", "user"]),
        instead("a context that is null", &[("context:\n    cluster: north\n    user: ursula\n", "context: null\n")])
            .refused(&["work"]),
        instead("a user who is not in the file", &[("user: ursula", "user: ulla")]).refused(&["work", "ulla"]),
        instead("a cluster that is not in the file", &[("cluster: north", "cluster: south")])
            .refused(&["work", "south"]),
        instead("a context that is not in the file", &[("current-context: work", "current-context: rest")])
            .refused(&["rest"]),
        instead("names that differ in letters", &[("current-context: work", "current-context: Work")])
            .refused(&["Work"]),
        instead("no current-context", &[("current-context: work\n", "")]).refused(&["context"]),
        instead(
            "a used cluster that is null",
            &[("  cluster:\n    server: <server>\n    certificate-authority: <ca>\n", "  cluster: null\n")],
        )
        .refused(&["north", "server"]),
        instead("a used cluster without a server", &[("    server: <server>\n", "")]).refused(&["north", "server"]),
        instead("an empty server", &[("server: <server>", "server: ''")]).refused(&["north", "server"]),
        instead("a used user that is null", &[("  user:\n    token: <token>\n", "  user: null\n")]),
        instead("a namespace", &[("    user: ursula", "    user: ursula\n    namespace: alice")]).reached(),
        instead("a namespace in capitals", &[("    user: ursula", "    user: ursula\n    namespace: ALICE")]),
        instead("a namespace with a dot", &[("    user: ursula", "    user: ursula\n    namespace: a.b")]),
        instead("a namespace that is a number", &[("    user: ursula", "    user: ursula\n    namespace: 5")])
            .refused(&["namespace"]),
        instead("an empty namespace", &[("    user: ursula", "    user: ursula\n    namespace: ''")]).reached(),
        instead("a namespace with a space", &[("    user: ursula", "    user: ursula\n    namespace: 'alice '")]),
    ]
}
