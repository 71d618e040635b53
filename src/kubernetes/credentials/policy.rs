//! Which credential plugins may run: kubectl's preferences, `credentialPluginPolicy` of the kuberc.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

/// What may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Any plugin.
    #[default]
    AllowAll,
    /// None.
    DenyAll,
    /// These, by name or by path.
    Allowlist(Vec<String>),
}

impl Policy {
    /// Reads what a kuberc says.
    ///
    /// # Errors
    /// In words, if it cannot be meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_saphyr::from_str(text).map_err(|error| match error.location() {
            Some(place) => format!("it is not valid YAML at line {}, column {}", place.line(), place.column()),
            None => "it is not valid YAML".to_owned(),
        })?;
        let list = &document["credentialPluginAllowlist"];
        match (document["credentialPluginPolicy"].as_str().unwrap_or_default(), list) {
            ("Allowlist", Value::Array(entries)) if !entries.is_empty() => {
                entries.iter().map(entry).collect::<Result<_, _>>().map(Self::Allowlist)
            }
            ("Allowlist", _) => Err("its credentialPluginPolicy is Allowlist, but there is no list".to_owned()),
            (_, Value::Array(_)) => {
                Err("it has a credentialPluginAllowlist, but its credentialPluginPolicy is not Allowlist".to_owned())
            }
            ("" | "AllowAll", _) => Ok(Self::AllowAll),
            ("DenyAll", _) => Ok(Self::DenyAll),
            _ => Err("its credentialPluginPolicy must be AllowAll, DenyAll or Allowlist".to_owned()),
        }
    }

    /// Whether a command may run.
    #[must_use]
    pub fn permits(&self, command: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::Allowlist(entries) => {
                let resolved = look_up(command);
                entries.iter().any(|entry| {
                    entry == command
                        || resolved.as_deref().is_some_and(|path| {
                            Path::new(entry) == path
                                || Path::new(entry).file_name() == path.file_name()
                                    && look_up(entry).as_deref() == Some(path)
                        })
                })
            }
        }
    }
}

fn entry(entry: &Value) -> Result<String, String> {
    // Its first version called it `name`.
    let command = entry["command"].as_str().or_else(|| entry["name"].as_str()).unwrap_or_default();
    let is_plain =
        Path::new(command).components().all(|part| !matches!(part, Component::ParentDir | Component::CurDir));
    if command.is_empty() || !is_plain || command.contains("//") {
        return Err("an entry of its credentialPluginAllowlist is not a command".to_owned());
    }
    Ok(command.to_owned())
}

/// Where a command lies: in the folders of PATH, unless it is a path itself. None if nothing there can be run.
pub fn look_up(command: &str) -> Option<PathBuf> {
    let can_run =
        |path: &Path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(|path| can_run(path));
    }
    let path = env::var_os("PATH")?;
    // What lies where the user happens to be is not run, as by Go.
    let folders = env::split_paths(&path).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(command)).find(|path| can_run(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_as_kubectl_reads_it() {
        let list = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: sh}]";
        assert_eq!(Policy::parse(list), Ok(Policy::Allowlist(vec!["sh".to_owned()])));
        assert_eq!(Policy::parse("kind: Preference"), Ok(Policy::AllowAll));
        assert_eq!(Policy::parse("credentialPluginPolicy: DenyAll"), Ok(Policy::DenyAll));
        for wrong in [
            "credentialPluginPolicy: Allowlist",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: /bin/../bin/sh}]",
            "credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: [{command: sh}]",
            "credentialPluginPolicy: Perhaps",
            "[",
        ] {
            assert!(Policy::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_command_is_the_program_that_would_run() {
        let sh = look_up("sh").unwrap();
        let sh = sh.to_str().unwrap();
        let only = |entry: &str| Policy::Allowlist(vec![entry.to_owned()]);
        assert!(only("sh").permits("sh") && only("sh").permits(sh) && only(sh).permits("sh"));
        assert!(!only("env").permits("sh") && !only("/elsewhere/sh").permits("sh"));
        assert!(Policy::AllowAll.permits("anything") && !Policy::DenyAll.permits("sh"));
        assert_eq!(look_up("no-such-program-anywhere"), None);
    }
}
