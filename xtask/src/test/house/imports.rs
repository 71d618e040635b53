//! What the files of a crate import, read from their `use` lines and paths. Tests are left out: they may look anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

use anyhow::{Context as _, Result};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, Meta, UseTree, Visibility};
use walkdir::WalkDir;

/// A module by its names, from the crate's root.
pub type Module = Vec<String>;

/// A file.
#[derive(Debug)]
pub struct File {
    /// Its module.
    pub module: Module,
    /// The paths that it names, from the crate's root.
    pub paths: Vec<Vec<String>>,
    /// What it gives on: a name, and the path behind it.
    pub exports: BTreeMap<String, Vec<String>>,
}

/// The files of a crate whose root is in this folder.
///
/// # Errors
/// If one cannot be read, or is not Rust.
pub fn of_folder(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path)?;
            let relative = path.strip_prefix(folder)?;
            files.push(of_file(relative, &text).with_context(|| relative.display().to_string())?);
        }
    }
    // A file of tests is declared where it is only compiled for them.
    Ok(files.into_iter().filter(|file| !file.module.iter().any(|name| name.ends_with("tests"))).collect())
}

/// Files by their paths and texts.
#[cfg(test)]
pub fn of_texts(files: &[(&str, &str)]) -> Result<Vec<File>> {
    files.iter().map(|(path, text)| of_file(Path::new(path), text)).collect()
}

/// One file, by its path below the crate's root.
///
/// # Errors
/// If it is not Rust.
fn of_file(path: &Path, text: &str) -> Result<File> {
    let mut module: Module = path
        .with_extension("")
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    if module.last().is_some_and(|name| matches!(name.as_str(), "mod" | "lib")) {
        module.pop();
    }
    let mut parsed = syn::parse_file(text)?;
    parsed.items.retain(|item| !is_for_tests(attributes(item)));
    let children = parsed.items.iter().filter_map(|item| match item {
        Item::Mod(child) => Some(child.ident.to_string()),
        _ => None,
    });
    let mut reader =
        Reader { children: children.collect(), file: File { module, paths: Vec::new(), exports: BTreeMap::new() } };
    reader.visit_file(&parsed);
    Ok(reader.file)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

struct Reader {
    /// The modules that the file declares.
    children: Vec<String>,
    file: File,
}

impl Reader {
    /// A path from the crate's root; none if it leads to another crate, or to something in this file.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let mut here = self.file.module.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => (here, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {}
            child if self.children.iter().any(|name| name == child) => {}
            _ => return None,
        }
        while rest.first().is_some_and(|name| name == "super") {
            here.pop();
            rest = &rest[1..];
        }
        here.extend(rest.iter().cloned());
        Some(here)
    }

    fn add(&mut self, path: &[String]) {
        let path = self.absolute(path);
        self.file.paths.extend(path);
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree, is_given_on: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree, is_given_on),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree, is_given_on);
                }
            }
            UseTree::Glob(_) => self.add(before),
            UseTree::Name(name) if name.ident == "self" => self.add(before),
            UseTree::Name(name) => self.add_name(&with(&name.ident), &name.ident.to_string(), is_given_on),
            UseTree::Rename(name) => self.add_name(&with(&name.ident), &name.rename.to_string(), is_given_on),
        }
    }

    fn add_name(&mut self, path: &[String], name: &str, is_given_on: bool) {
        if is_given_on && let Some(path) = self.absolute(path) {
            self.file.exports.insert(name.to_owned(), path);
        } else {
            self.add(path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree, !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.add(&names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &'ast Macro) {
        // What a macro is given is no syntax yet.
        let text = invoked.tokens.to_string().replace(" :: ", "::");
        for word in text.split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | ':'))) {
            let names: Vec<String> = word.split("::").map(str::to_owned).collect();
            if names.len() > 1 && matches!(names[0].as_str(), "crate" | "super") {
                self.add(&names);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_the_root() -> Result<()> {
        let text = "
            mod child;
            pub use child::Given;
            use super::super::top::{self, a::B as C};
            use std::fmt;
            fn f() -> crate::x::Y { child::run(vec![crate::z::Z], \"crate::no\") }
        ";
        let file = of_file(Path::new("one/two/mod.rs"), text)?;
        assert_eq!(file.module, ["one", "two"]);
        let paths: Vec<String> = file.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(paths, ["top", "top::a::B", "x::Y", "one::two::child::run", "z::Z"]);
        assert_eq!(file.exports["Given"].join("::"), "one::two::child::Given");
        Ok(())
    }
}
