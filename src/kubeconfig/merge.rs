//! Which files are read, and what they come to together.

use std::collections::HashSet;
use std::env;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::file::{self, Entries, Kubeconfig};
use crate::error::Error;

/// The kubeconfig that the flag names, or that the variable KUBECONFIG lists, or that lies at the usual place. Of files that
/// are only listed some may be missing.
///
/// # Errors
/// If one cannot be read, with its name.
pub fn read(named: Option<&Path>) -> Result<Kubeconfig, Error> {
    if let Some(path) = named {
        return read_file(path)?.ok_or_else(|| {
            let missing = std::io::Error::from(ErrorKind::NotFound);
            unreadable(path, &missing.to_string())
        });
    }
    let mut merged = Kubeconfig::default();
    for path in listed() {
        match read_file(&path)? {
            Some(next) => merge(&mut merged, next),
            None => merged.missing.push(path),
        }
    }
    Ok(merged)
}

/// The files that are looked for if none is named, the first before the others.
fn listed() -> Vec<PathBuf> {
    let variable = env::var_os("KUBECONFIG").filter(|list| !list.is_empty());
    let Some(list) = variable else {
        return vec![PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".kube/config")];
    };
    let mut seen = HashSet::new();
    env::split_paths(&list).filter(|path| !path.as_os_str().is_empty() && seen.insert(path.clone())).collect()
}

/// Nothing if there is no such file.
fn read_file(path: &Path) -> Result<Option<Kubeconfig>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error.to_string())),
    };
    file::parse(&bytes, path).map(Some).map_err(|why| {
        Error::new(
            format!("could not read the kubeconfig {}: {why}", path.display()),
            "correct the file, or choose another one with --kubeconfig or the variable KUBECONFIG",
        )
    })
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(
        format!("could not read the kubeconfig {}: {why}", path.display()),
        "choose another one with --kubeconfig or the variable KUBECONFIG; `minikube start` or your cluster's provider writes one",
    )
}

/// What the first file says stands. An entry is taken whole: nothing is added to it from a later one of its name.
fn merge(merged: &mut Kubeconfig, next: Kubeconfig) {
    if merged.current_context.is_empty() {
        merged.current_context = next.current_context;
    }
    add(&mut merged.contexts, next.contexts);
    add(&mut merged.clusters, next.clusters);
    add(&mut merged.users, next.users);
}

fn add<T>(merged: &mut Entries<T>, next: Entries<T>) {
    for (name, entry) in next {
        merged.entry(name).or_insert(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, path: &str) -> Kubeconfig {
        file::parse(text.as_bytes(), Path::new(path)).unwrap()
    }

    #[test]
    fn the_first_that_says_something_is_right() {
        let first = "current-context: ''
users: [{name: red, user: {token: one}}]";
        let second = "current-context: two
users: [{name: red, user: {token: two, username: bob}}, {name: blue}]";
        let mut merged = file(first, "/a/one");
        merge(&mut merged, file(second, "/b/two"));
        assert_eq!(merged.current_context, "two");
        let red = &merged.users["red"];
        assert_eq!((red.says.token.as_str(), red.says.username.as_str()), ("one", ""));
        assert_eq!(red.file, Path::new("/a/one"));
        assert_eq!(merged.users["blue"].file, Path::new("/b/two"));
    }
}
