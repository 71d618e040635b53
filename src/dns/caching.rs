//! For how long the cluster's DNS server keeps its answers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// For how long the DNS server keeps what it has said of the cluster's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Caching {
    /// For so long.
    For(Duration),
    /// It does not.
    No,
    /// That could not be read, or was not asked for.
    #[default]
    Unknown,
}

/// For how long a Corefile has names of the cluster kept.
#[must_use]
pub fn of_corefile(corefile: &str, domain: &str) -> Caching {
    let zone = |word: &str| word.trim_end_matches('.') == domain;
    let mut kept = Caching::No;
    let (mut inside, mut disabled) = (false, false);
    for line in corefile.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            ["cache", rest @ ..] => {
                inside = rest.last() == Some(&"{");
                let seconds = rest.first().and_then(|word| word.parse().ok()).unwrap_or(3600);
                // The plugin `kubernetes` says 5 s unless its `ttl` says more; nothing is kept for longer than it may be.
                kept = Caching::For(Duration::from_secs(seconds));
            }
            ["disable", "success", zones @ ..] if inside => {
                disabled |= zones.is_empty() || zones.iter().any(|it| zone(it));
            }
            ["}"] if inside => inside = false,
            _ => {}
        }
    }
    match (kept, record_ttl(corefile)) {
        (Caching::For(_), _) if disabled => Caching::No,
        (Caching::For(time), ttl) => Caching::For(time.min(ttl)),
        (kept, _) => kept,
    }
}

/// For how long the plugin `kubernetes` lets its answers be kept.
fn record_ttl(corefile: &str) -> Duration {
    let ttl = |line: &str| line.trim().strip_prefix("ttl ")?.trim().parse().ok();
    Duration::from_secs(corefile.lines().find_map(ttl).unwrap_or(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_keeps_is_in_its_configuration() {
        let corefile = |cache: &str| {
            format!(
                ".:53 {{\n    kubernetes kube.test in-addr.arpa {{\n        ttl 20\n    }}\n    {cache}\n    loop\n}}\n"
            )
        };
        let seconds = |seconds| Caching::For(Duration::from_secs(seconds));
        for (cache, kept) in [
            ("cache 30", seconds(20)),
            ("cache 10", seconds(10)),
            ("cache", seconds(20)),
            ("# cache 30", Caching::No),
            ("cache 30 {\n        disable success kube.test\n        disable denial kube.test\n    }", Caching::No),
            ("cache 30 {\n        disable success\n    }", Caching::No),
            ("cache 30 {\n        disable success other.test\n    }", seconds(20)),
            ("", Caching::No),
        ] {
            assert_eq!(of_corefile(&corefile(cache), "kube.test"), kept, "{cache}");
        }
    }
}
