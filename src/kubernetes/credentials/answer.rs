//! What a credential plugin is told, and what it answers: `client.authentication.k8s.io`, v1 and v1beta1.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Secret;

/// The versions that kubectl takes.
pub const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// The variable in which a plugin is told what it is run for.
pub const INFO: &str = "KUBERNETES_EXEC_INFO";

/// What a plugin has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// A bearer token.
    pub token: Option<Secret>,
    /// A client certificate and its key, as PEM.
    pub certificate: Option<(Secret, Secret)>,
    /// When these end; none if that is not known.
    pub expires: Option<Timestamp>,
}

/// What a plugin is told.
pub fn info(api_version: &str, interactive: bool, cluster: Option<&Value>) -> String {
    let mut spec = json!({ "interactive": interactive });
    if let Some(cluster) = cluster {
        spec["cluster"] = cluster.clone();
    }
    json!({ "kind": "ExecCredential", "apiVersion": api_version, "spec": spec }).to_string()
}

/// Reads what a plugin has written to stdout.
///
/// # Errors
/// In words that hold nothing of it.
pub fn parse(stdout: &[u8], api_version: &str) -> Result<Answer, String> {
    let document = document(stdout)?;
    let text = |value: &Value, name: &str| match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(format!("its {name} is not text")),
    };
    if text(&document["kind"], "kind")?.as_deref() != Some("ExecCredential") {
        return Err("its kind is not ExecCredential".to_owned());
    }
    if text(&document["apiVersion"], "apiVersion")?.as_deref() != Some(api_version) {
        return Err(format!("its apiVersion is not {api_version}, which the kubeconfig asks for"));
    }
    let status = &document["status"];
    if !status.is_object() {
        return Err("it has no status".to_owned());
    }
    let field = |name: &str| text(&status[name], &format!("status.{name}"));
    let certificate = match (field("clientCertificateData")?, field("clientKeyData")?) {
        (Some(certificate), Some(key)) => Some((Secret::new(certificate), Secret::new(key))),
        (None, None) => None,
        _ => return Err("it has a certificate or a key, but not both".to_owned()),
    };
    let token = field("token")?.map(Secret::new);
    if token.is_none() && certificate.is_none() {
        return Err("it has neither a token nor a certificate".to_owned());
    }
    let expires = match &status["expirationTimestamp"] {
        Value::Null => None,
        time => Some(
            time.as_str()
                .filter(|time| time.contains('T'))
                .and_then(|time| time.parse::<Timestamp>().ok())
                .ok_or("its status.expirationTimestamp is not a time")?,
        ),
    };
    // Go's time of nothing.
    let expires = expires.filter(|end| end.as_second() > 0);
    Ok(Answer { token, certificate, expires })
}

fn document(stdout: &[u8]) -> Result<Value, String> {
    if stdout.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    serde_json::from_slice(stdout).or_else(|error| {
        // kubectl reads YAML as well.
        let yaml = std::str::from_utf8(stdout).ok().and_then(|text| serde_saphyr::from_str::<Value>(text).ok());
        yaml.filter(Value::is_object)
            .ok_or_else(|| format!("it is not valid JSON at line {}, column {}", error.line(), error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = VERSIONS[0];

    fn answer(status: &Value) -> Result<Answer, String> {
        parse(json!({ "kind": "ExecCredential", "apiVersion": V1, "status": status }).to_string().as_bytes(), V1)
    }

    #[test]
    fn a_token_or_a_certificate_is_an_answer() {
        let token = answer(&json!({ "token": "t", "expirationTimestamp": "2026-11-23T20:00:00Z" })).unwrap();
        assert_eq!(token.token, Some(Secret::new("t")));
        assert_eq!(token.expires, Some("2026-11-23T20:00:00Z".parse().unwrap()));
        let certificate = answer(&json!({ "clientCertificateData": "c", "clientKeyData": "k", "token": "" })).unwrap();
        assert!(certificate.token.is_none() && certificate.certificate.is_some() && certificate.expires.is_none());
        let yaml = format!("kind: ExecCredential\napiVersion: {V1}\nstatus:\n  token: t\n");
        assert!(parse(yaml.as_bytes(), V1).is_ok());
    }

    #[test]
    fn what_is_none_is_refused_in_words_without_it() {
        let refused = |status| answer(&status).unwrap_err();
        assert_eq!(refused(json!(null)), "it has no status");
        assert_eq!(refused(json!({})), "it has neither a token nor a certificate");
        assert_eq!(refused(json!({ "clientKeyData": "hush" })), "it has a certificate or a key, but not both");
        assert_eq!(refused(json!({ "token": 4711 })), "its status.token is not text");
        for time in ["hush", "", "2026-11-23 20:00:00Z"] {
            assert!(refused(json!({ "token": "t", "expirationTimestamp": time })).contains("is not a time"), "{time}");
        }
        let never = answer(&json!({ "token": "t", "expirationTimestamp": "0001-01-01T00:00:00Z" })).unwrap();
        assert_eq!(never.expires, None);
        for (text, why) in [
            ("", "is empty"),
            ("{\"token\": \"hush\"", "line 1"),
            ("hush", "line 1"),
            ("{\"kind\": \"hush\"}", "kind"),
            ("{\"kind\": \"ExecCredential\", \"apiVersion\": \"hush\"}", "apiVersion is not client"),
        ] {
            let error = parse(text.as_bytes(), V1).unwrap_err();
            assert!(error.contains(why) && !error.contains("hush"), "{text}: {error}");
        }
    }

    #[test]
    fn a_plugin_is_told_what_it_is_run_for() {
        let told: Value = serde_json::from_str(&info(V1, true, Some(&json!({ "server": "s" })))).unwrap();
        assert_eq!(told["spec"], json!({ "interactive": true, "cluster": { "server": "s" } }));
        let told: Value = serde_json::from_str(&info(V1, false, None)).unwrap();
        assert_eq!(told["spec"], json!({ "interactive": false }));
    }
}
