//! What was read, as a document that can be passed on: it is judged again without the cluster, and tells no secrets.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Snapshot;
use super::details::Details;
use crate::text::json;

/// The kind of the document.
const KIND: &str = "DoctorCase";

/// What stands in the place of what was left out.
pub const REMOVED: &str = "<removed>";

/// The environment variables whose values are no secret, and without which a wrong address or directory cannot be seen.
const SHOWN: [&str; 8] =
    ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "BACKEND_URL", "PGDATA", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"];

/// Words for a secret: what follows `password=` or `--password` is one.
const SECRETS: [&str; 4] = ["password", "passwd", "token", "secret"];

/// Everything that was read of an exchange.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case<N> {
    /// The version of the plugin that read it.
    pub version: String,
    pub namespace: String,
    /// When it was read. Ages are counted up to here.
    pub read_at: Timestamp,
    pub snapshot: Snapshot,
    pub details: Details,
    /// What names resolve to, if that was asked: a value of those who ask for it.
    #[serde(default)]
    pub names: N,
}

impl<N: Serialize + DeserializeOwned + Default> Case<N> {
    /// As a document without secrets, and without what containers logged unless that is asked for.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn text(&self, with_logs: bool) -> anyhow::Result<String> {
        let mut document = serde_json::to_value(self)?;
        if let Some(details) = document["details"].as_object_mut().filter(|_| !with_logs) {
            details.remove("logs");
        }
        redact(&mut document);
        json::text(KIND, &document)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// If it is not one, or of another version.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let case: Self = json::parse(KIND, text)?;
        let is_whole = case.snapshot.target.is_some() || !case.snapshot.members.is_empty();
        anyhow::ensure!(is_whole, "it has no server of the database");
        Ok(case)
    }
}

/// Takes out what nobody else may see, wherever it stands: what is read one day is covered too.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(object) => {
            drop_copies(object);
            hide_value(object);
            object.values_mut().for_each(redact);
        }
        Value::Array(items) => {
            hide_values_of_flags(items);
            items.iter_mut().for_each(redact);
        }
        Value::String(text) => *text = without_secrets(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Objects carry copies of what was applied, and a Secret its data.
fn drop_copies(object: &mut Map<String, Value>) {
    object.remove("managedFields");
    if let Some(Value::Object(annotations)) = object.get_mut("annotations") {
        annotations.retain(|key, _| !key.contains("applied"));
    }
    if object.get("kind").is_some_and(|kind| kind == "Secret") {
        object.retain(|key, _| key != "data" && key != "stringData");
    }
}

/// The value of an environment variable, or of a header that a probe sends.
fn hide_value(object: &mut Map<String, Value>) {
    let is_shown = object.get("name").and_then(Value::as_str).is_none_or(|name| !may_be_secret(name));
    if let Some(value) = object.get_mut("value").filter(|value| value.is_string() && !is_shown) {
        *value = REMOVED.into();
    }
}

/// `--password hunter2`, as two words of a command.
fn hide_values_of_flags(words: &mut [Value]) {
    let is_secret = |word: &Value| {
        let flag = word.as_str().filter(|word| word.starts_with('-')).map(str::to_ascii_lowercase);
        flag.is_some_and(|flag| SECRETS.iter().any(|secret| flag.ends_with(secret)))
    };
    for at in 1..words.len() {
        if words[at].is_string() && is_secret(&words[at - 1]) {
            words[at] = REMOVED.into();
        }
    }
}

/// Whether the value of an environment variable may be a secret.
#[must_use]
pub fn may_be_secret(variable: &str) -> bool {
    !SHOWN.contains(&variable)
}

/// A text without what follows `password=` and without the password of an address.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    // As long as the text, byte by byte.
    let lower = text.to_ascii_lowercase();
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(secret) = next_secret(&text[from..], &lower[from..]) {
        kept.push_str(&text[from..from + secret.start]);
        kept.push_str(REMOVED);
        from += secret.end;
    }
    kept + &text[from..]
}

/// Where the next secret of a text stands. What a shell puts in for `$PASSWORD` is not in the text.
fn next_secret(text: &str, lower: &str) -> Option<std::ops::Range<usize>> {
    let assigned = SECRETS.iter().flat_map(|word| lower.match_indices(word)).filter_map(|(at, word)| {
        let start = at + word.len() + 1;
        let value = text[at + word.len()..].strip_prefix('=')?;
        let bare = value.trim_start_matches(['"', '\'']);
        let start = start + value.len() - bare.len();
        let is_quoted = bare.len() < value.len();
        let ends = |letter: char| if is_quoted { "\"'" } else { " \t\n\"'&;,)" }.contains(letter);
        let end = bare.find(ends).unwrap_or(bare.len());
        (end > 0 && !bare.starts_with(['$', '<'])).then(|| start..start + end)
    });
    let addressed = text.match_indices("://").filter_map(|(at, slashes)| {
        let start = at + slashes.len();
        let host = text[start..].split(['/', ' ', '\t', '\n', '"', '\'']).next()?;
        let (user, password) = host[..host.rfind('@')?].split_once(':')?;
        let start = start + user.len() + 1;
        (!password.is_empty() && !password.starts_with(['$', '<'])).then(|| start..start + password.len())
    });
    assigned.chain(addressed).min_by_key(|secret| secret.start)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::observe::{Member, Reading};

    fn redacted(mut value: Value) -> Value {
        redact(&mut value);
        value
    }

    #[test]
    fn what_nobody_else_may_see_is_taken_out_wherever_it_stands() {
        let object = json!({
            "metadata": { "name": "backend", "managedFields": [{ "manager": "hush" }],
                          "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "hush", "kept": "yes" } },
            "spec": { "containers": [{
                "env": [{ "name": "DB_HOST", "value": "postgres-headless" }, { "name": "DB_PASSWORD", "value": "hush" },
                        { "name": "P", "valueFrom": { "secretKeyRef": { "name": "s", "key": "password" } } }],
                "args": ["serve", "--password", "hush", "--api-token=hush", "-c", "PGPASSWORD='hush' psql"],
                "readinessProbe": { "httpGet": { "httpHeaders": [{ "name": "Authorization", "value": "hush" }] } } }] },
        });
        let safe = redacted(object);
        assert!(!safe.to_string().contains("hush"), "{safe}");
        let container = &safe["spec"]["containers"][0];
        assert_eq!(container["env"][0]["value"], "postgres-headless");
        assert_eq!(container["env"][2]["valueFrom"]["secretKeyRef"]["key"], "password");
        assert_eq!(
            container["args"],
            json!(["serve", "--password", REMOVED, "--api-token=<removed>", "-c", "PGPASSWORD='<removed>' psql"])
        );
        assert_eq!(safe["metadata"]["annotations"], json!({ "kept": "yes" }));
        let secret = redacted(json!({ "kind": "Secret", "data": { "a": "aHVzaA==" }, "metadata": {} }));
        assert_eq!(secret, json!({ "kind": "Secret", "metadata": {} }));
    }

    #[test]
    fn passwords_in_texts_are_replaced_and_nothing_else() {
        for (text, safe) in [
            ("postgresql://me:hush@db:5432/kubecoin", "postgresql://me:<removed>@db:5432/kubecoin"),
            (
                "host=db password=hush user=me Password=\"two words\"",
                "host=db password=<removed> user=me Password=\"<removed>\"",
            ),
            ("a?token=hush&b=1", "a?token=<removed>&b=1"),
            ("ä password=hüsch", "ä password=<removed>"),
        ] {
            assert_eq!(without_secrets(text), safe);
            assert_eq!(without_secrets(safe), safe);
        }
        for text in [
            "password authentication failed for user \"postgres\"",
            "secret \"postgres-credentials\" not found",
            "PGPASSWORD=\"$POSTGRES_PASSWORD\" psql password= x",
            "http://backend-service:5000/api/connection",
            "",
        ] {
            assert_eq!(without_secrets(text), text);
        }
    }

    #[test]
    fn a_case_is_read_back_as_it_was_and_older_ones_too() {
        let set = serde_json::from_value(
            json!({ "metadata": { "name": "postgres" }, "spec": { "selector": {}, "template": {} } }),
        );
        let snapshot = Snapshot {
            statefulset: Reading::Present(set.unwrap()),
            pods: Reading::Absent,
            members: vec![Member::new(("postgres-0", "postgres-pvc"))],
            ..Snapshot::default()
        };
        let (version, namespace) = ("0.1.0".to_owned(), "alice\u{1b}".to_owned());
        let (read_at, details) = (Timestamp::UNIX_EPOCH, Details::default());
        let case = Case { version, namespace, read_at, snapshot, details, names: () };
        let text = case.text(false).unwrap();
        assert!(!text.contains('\u{1b}'), "harmless to a terminal");
        let back = Case::<()>::parse(&text).unwrap();
        assert_eq!((back.text(false).unwrap(), &back.snapshot.statefulset), (text.clone(), &case.snapshot.statefulset));

        let mut older: Value = serde_json::from_str(&text).unwrap();
        older["details"] = json!({ "other": ["of a later version"] });
        assert!(Case::<()>::parse(&older.to_string()).unwrap().details.events.is_empty());
        let nobody = text.replace("\"members\": [", "\"members\": [], \"others\": [");
        for wrong in
            [&nobody, "", "{}", "[]", &text.replace(KIND, "Status"), &text.replace("\"statefulset\"", "\"other\"")]
        {
            assert!(Case::<()>::parse(wrong).is_err(), "{wrong}");
        }
    }
}
