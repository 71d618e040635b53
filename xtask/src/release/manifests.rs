//! The manifests of a release: each folder of the workspace as one file, whose images are named by digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::index::{self, SKOPEO};
use crate::{apt, dist, paths, process};

/// The folders of manifests in the workspace's `k8s`.
const FOLDERS: [&str; 2] = ["level-2-volumes", "level-2-replicated"];

/// The files: each has one address whatever release is the latest.
pub fn files() -> impl Iterator<Item = String> {
    FOLDERS.into_iter().map(file)
}

fn file(folder: &str) -> String {
    format!("{folder}.yaml")
}

/// Pulls each image that the manifests name, and writes them with the digests of these.
pub fn write(into: &Path) -> Result<()> {
    apt::require(&[SKOPEO])?;
    fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    let texts = FOLDERS.map(|folder| anyhow::Ok((folder, joined(folder)?))).into_iter().collect::<Result<Vec<_>>>()?;
    let mut names = BTreeSet::new();
    for (_, text) in &texts {
        names.extend(images(text)?);
    }
    let mut digests = BTreeMap::new();
    for name in names {
        let digest = process::step(&format!("pulling {name} for each processor"), || index::pulled(&name))?;
        digests.insert(name, digest);
    }
    for (folder, text) in texts {
        let file = into.join(file(folder));
        fs::write(&file, with_digests(&text, &digests)?).with_context(|| format!("cannot write {}", file.display()))?;
        process::say(&format!("{} written", file.display()));
    }
    Ok(())
}

/// The manifests of a folder as one text, in the order in which kubectl takes its files.
fn joined(folder: &str) -> Result<String> {
    let mut text = format!("# k8s/{folder} of kubectl-kubecoin {}, with its images by digest.\n", dist::TAG);
    for path in paths::entries(&paths::workspace().join("k8s").join(folder))? {
        let manifest = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        text += "---\n";
        text += &manifest;
    }
    Ok(text)
}

/// The images that the containers of manifests name.
fn images(text: &str) -> Result<BTreeSet<String>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).context("the manifests are no YAML")?;
    let mut names = BTreeSet::new();
    for document in &documents {
        values("image", document, &mut names);
    }
    ensure!(!names.is_empty(), "the manifests name no image");
    Ok(names.into_iter().map(str::to_owned).collect())
}

/// The values of a field, wherever it is.
pub fn values<'a>(field: &str, value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if name == field => drop(found.insert(text)),
            value => values(field, value, found),
        }),
        Value::Array(all) => all.iter().for_each(|value| values(field, value, found)),
        _ => {}
    }
}

/// The manifests with a digest behind the name of each image. It is the text that is changed, for its comments: readers learn
/// from them.
///
/// # Errors
/// If an image would be left without a digest.
fn with_digests(text: &str, digests: &BTreeMap<String, String>) -> Result<String> {
    let mut changed = String::new();
    for line in text.lines() {
        let name = line.trim_start_matches([' ', '-']).strip_prefix("image: ");
        match name.and_then(|name| digests.get(name.trim())) {
            Some(digest) => changed += &[line.trim_end(), "@", digest, "\n"].concat(),
            None => changed += &[line, "\n"].concat(),
        }
    }
    let left: Vec<String> = images(&changed)?.into_iter().filter(|name| !name.contains("@sha256:")).collect();
    ensure!(left.is_empty(), "no digest was put behind {}", left.join(", "));
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_all_that_differs_from_the_manifests() -> Result<()> {
        for (folder, comment) in
            FOLDERS.into_iter().zip(["# Pods are numbered from 0", "# All at once. In order, a set"])
        {
            let text = joined(folder)?;
            let names = images(&text)?;
            assert_eq!(names.len(), 3, "{names:?}");
            let digests = names.iter().map(|name| (name.clone(), format!("sha256:{:064}", name.len()))).collect();
            let changed = with_digests(&text, &digests)?;
            let differ = text.lines().zip(changed.lines()).filter(|(before, after)| before != after);
            for (before, after) in differ {
                let (kept, digest) = after.split_once('@').with_context(|| format!("{before} became {after}"))?;
                assert_eq!(kept, before);
                assert!(digest.starts_with("sha256:"), "{digest}");
            }
            assert_eq!(text.lines().count(), changed.lines().count());
            assert!(changed.contains(comment), "the comments are there");
            assert_eq!(images(&changed)?.len(), 3);
        }
        Ok(())
    }

    #[test]
    fn an_image_that_would_have_no_digest_is_refused() -> Result<()> {
        let digests = BTreeMap::from([("a:1".to_owned(), "sha256:0".to_owned())]);
        assert_eq!(with_digests("spec:\n  - image: a:1\n", &digests)?, "spec:\n  - image: a:1@sha256:0\n");
        for text in ["image: b:1\n", "image: \"a:1\"\n", "containers: [{image: a:1}]\n", "image: a:1 # why\n"] {
            assert!(with_digests(text, &digests).is_err(), "{text}");
        }
        Ok(())
    }
}
