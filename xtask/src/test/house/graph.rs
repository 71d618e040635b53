//! Which module imports which.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{File, Module};

/// The modules of a crate, one a file, and what each imports from others.
#[derive(Debug)]
pub struct Graph {
    imports: BTreeMap<Module, BTreeSet<Module>>,
}

impl Graph {
    /// Of files. An import is drawn to the file that has what is named, not to those that only give it on.
    pub fn new(files: &[File]) -> Self {
        let exports: BTreeMap<&Module, &BTreeMap<String, Vec<String>>> =
            files.iter().map(|file| (&file.module, &file.exports)).collect();
        let behind = |path: &[String]| {
            let mut path = path.to_vec();
            // As long as what is named is given on; more steps than files would be a circle of those.
            for _ in 0..files.len() {
                let module = longest(&path, |module| exports.contains_key(module))?;
                let given = path.get(module.len()).and_then(|name| exports[&module].get(name));
                match given {
                    Some(other) => path = [other.as_slice(), &path[module.len() + 1..]].concat(),
                    None => return Some(module),
                }
            }
            None
        };
        let imports = files.iter().map(|file| {
            let others = file.paths.iter().filter_map(|path| behind(path)).filter(|other| *other != file.module);
            (file.module.clone(), others.collect())
        });
        Self { imports: imports.collect() }
    }

    /// All modules.
    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.imports.keys()
    }

    /// What a module imports.
    pub fn imports(&self, module: &Module) -> impl Iterator<Item = &Module> {
        self.imports.get(module).into_iter().flatten()
    }

    /// The circles, each as a line. A folder's `mod.rs` and the files below it are one house: they may know each other.
    pub fn circles(&self) -> Vec<String> {
        let mut left: BTreeSet<&Module> = self.modules().collect();
        let mut circles = Vec::new();
        while let Some(module) = left.pop_first() {
            let circle: BTreeSet<&Module> = self.reached(module).filter(|other| self.reaches(other, module)).collect();
            if circle.len() > 1 {
                let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
                circles.push(format!("a circle: {}", names.join(", ")));
            }
            left.retain(|module| !circle.contains(module));
        }
        circles
    }

    fn reaches(&self, from: &Module, to: &Module) -> bool {
        self.reached(from).any(|module| module == to)
    }

    /// What is imported on any way, itself included.
    fn reached<'a>(&'a self, from: &'a Module) -> impl Iterator<Item = &'a Module> {
        let (mut seen, mut next) = (BTreeSet::from([from]), vec![from]);
        while let Some(module) = next.pop() {
            for other in self.imports(module).filter(|other| !are_one_house(module, other)) {
                if seen.insert(other) {
                    next.push(other);
                }
            }
        }
        seen.into_iter()
    }
}

fn are_one_house(one: &Module, other: &Module) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// The longest beginning of a path that is a module.
fn longest(path: &[String], is_module: impl Fn(&Module) -> bool) -> Option<Module> {
    (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|module| is_module(module))
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::super::imports::of_texts;
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Result<Vec<String>> {
        Ok(Graph::new(&of_texts(files)?).circles())
    }

    #[test]
    fn a_circle_is_found_through_what_is_given_on() -> Result<()> {
        let files = [
            ("a/mod.rs", "mod one;\npub use one::One;"),
            ("a/one.rs", "use crate::b::Two;"),
            ("b.rs", "pub use crate::c::Two;"),
            ("c.rs", "use crate::a::One;\npub struct Two;"),
        ];
        assert_eq!(circles(&files)?, ["a circle: a::one, c"]);
        assert_eq!(circles(&files[..3])?, [""; 0]);
        Ok(())
    }

    #[test]
    fn a_folder_and_its_files_are_one_house() -> Result<()> {
        let files = [("a/mod.rs", "mod one;\nfn f() { one::g() }"), ("a/one.rs", "use super::Args;")];
        assert_eq!(circles(&files)?, [""; 0]);
        let beside = [("a/one.rs", "use super::two::X;"), ("a/two.rs", "use super::one::Y;")];
        assert_eq!(circles(&beside)?, ["a circle: a::one, a::two"]);
        Ok(())
    }
}
