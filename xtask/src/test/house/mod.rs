//! The shape of the program: imports run downwards only, and in no circle.

mod graph;
mod imports;

use std::path::Path;

use anyhow::{Result, ensure};

use crate::paths;
use graph::Graph;

/// The floors of the plugin, from the top to the ground. What stands on one floor knows those below, and not each other.
const FLOORS: [&[&str]; 15] = [
    &["main", ""],
    &["cli"],
    &["commands"],
    &["complete"],
    &["report", "context"],
    &["lesson"],
    &["findings", "kubeconfig"],
    &["persistence", "dns"],
    &["observe", "flags"],
    &["exchange", "cleanup"],
    &["output"],
    &["error"],
    &["kubernetes"],
    &["text"],
    &["log", "program"],
];

/// The folder of commands: each knows what they share, and no other one.
const COMMANDS: &str = "commands";
/// What commands share.
const SHARED: &str = "shared";

/// Checks the plugin and the workspace's own tasks. Says every import that should not be.
///
/// # Errors
/// If there is one, or a file cannot be read.
pub fn check() -> Result<()> {
    let root = paths::workspace();
    let (plugin, tasks) = (read(&root.join("src"))?, read(&root.join("xtask/src"))?);
    let mut wrong: Vec<String> = plugin.circles().into_iter().chain(tasks.circles()).collect();
    wrong.extend(upwards(&plugin));
    wrong.extend(between_commands(&plugin));
    ensure!(wrong.is_empty(), "imports that should not be:\n  {}", wrong.join("\n  "));
    Ok(())
}

fn read(folder: &Path) -> Result<Graph> {
    Ok(Graph::new(&imports::of_folder(folder)?))
}

/// The number of a module's floor, from the top.
fn floor(module: &[String]) -> Option<usize> {
    let room = module.first().map_or("", String::as_str);
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// Imports of a higher floor, of another room of the same one, and rooms that stand on no floor.
fn upwards(graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for module in graph.modules() {
        let Some(here) = floor(module) else {
            wrong.push(format!("{} stands on no floor: give it one in FLOORS", module.join("::")));
            continue;
        };
        for other in graph.imports(module).filter(|other| other.first() != module.first()) {
            if floor(other).is_some_and(|there| there <= here) {
                wrong.push(format!("{} → {} runs up", module.join("::"), other.join("::")));
            }
        }
    }
    wrong
}

/// Imports of one command by another.
fn between_commands(graph: &Graph) -> Vec<String> {
    let command = |module: &[String]| match module {
        [room, command, ..] if room == COMMANDS => Some(command.clone()),
        _ => None,
    };
    let mut wrong = Vec::new();
    for module in graph.modules() {
        let Some(here) = command(module) else { continue };
        for other in graph.imports(module) {
            if command(other).is_some_and(|there| there != here && there != SHARED) {
                wrong.push(format!("{} → {}: put it into {SHARED}", module.join("::"), other.join("::")));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> Result<Graph> {
        Ok(Graph::new(&imports::of_texts(files)?))
    }

    #[test]
    fn the_floors_are_those_of_the_plugin() -> Result<()> {
        check()
    }

    #[test]
    fn an_arrow_that_runs_up_is_found() -> Result<()> {
        let up = |text| Ok::<_, anyhow::Error>(upwards(&graph(&[("text.rs", text), ("output/table.rs", "")])?));
        for text in ["use crate::output::table::Table;", "fn f() { crate::output::table::draw() }"] {
            assert_eq!(up(text)?, ["text → output::table runs up"], "{text}");
        }
        for text in ["", "#[cfg(test)]\nmod tests { use crate::output::table::Table; }", "// crate::output::table"] {
            assert_eq!(up(text)?, [""; 0], "{text}");
        }
        assert!(upwards(&graph(&[("attic.rs", "")])?)[0].contains("stands on no floor"));
        let beside = graph(&[("dns.rs", "use crate::persistence::How;"), ("persistence.rs", "")])?;
        assert_eq!(upwards(&beside), ["dns → persistence runs up"]);
        Ok(())
    }

    #[test]
    fn one_command_knows_no_other() -> Result<()> {
        let wrong = between_commands(&graph(&[
            ("commands/status/view.rs", "use crate::commands::deploy::pin;\nuse crate::commands::shared::waiting;"),
            ("commands/deploy.rs", "use super::shared::waiting;"),
            ("commands/shared/waiting.rs", "use super::super::deploy;"),
        ])?);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        Ok(())
    }
}
