//! What holds of every cause's text, and of the files that causes are in.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::*;
use crate::cli::Cli;

/// The sections of a text, in their order.
const SECTIONS: [&str; 4] = ["What it means", "How it comes about", "How to see it", "How to mend it"];

/// kubectl's verbs that a text may lead to.
const VERBS: [&str; 15] = [
    "auth", "config", "delete", "describe", "edit", "exec", "explain", "get", "label", "logs", "patch", "rollout",
    "scale", "set", "uncordon",
];

/// What may be deleted without a loss of data: it is created again.
const CREATED_AGAIN: [&str; 3] = ["pod", "service", "statefulset"];

/// The files of a folder of causes with this ending, by their names without it.
fn files(folder: &str, ending: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/findings")).join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of_ending = paths.filter(|path| path.extension().is_some_and(|it| it == ending));
    of_ending.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), path)).collect()
}

/// The lines of the blocks of commands of a text.
fn commands(text: &str) -> Vec<&str> {
    let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.flat_map(str::lines).collect()
}

#[test]
fn all_are_there_in_the_order_of_their_ids() {
    assert!(by_id().is_sorted_by_key(|cause| cause.id));
    assert_eq!(by_id().len(), every().count());
}

/// Findings are shown below the first cause of all: with a circle, there would be none.
#[test]
fn no_cause_explains_itself_by_whatever_way() {
    for cause in every() {
        let mut reached = cause.explains.to_vec();
        while let Some(other) = reached.pop() {
            assert_ne!(other, cause, "it explains itself");
            reached.extend(other.explains);
        }
    }
}

#[test]
fn each_file_has_the_name_of_its_cause() {
    let mut texts = 0;
    for (folder, all) in [("causes", ALL), ("dns", dns::ALL)] {
        for (name, path) in files(folder, "md") {
            let cause = all.iter().find(|cause| cause.slug == name.replace('_', "-"));
            let cause = cause.unwrap_or_else(|| panic!("{folder}/{name}.md belongs to no cause"));
            assert_eq!(cause.text, fs::read_to_string(path).unwrap(), "{cause:?} has another text");
            texts += 1;
        }
    }
    assert_eq!(texts, every().count());
    let with_text = |folder| files(folder, "md").into_iter().map(|(name, path)| (name, path.with_extension("rs")));
    let causes = files("causes", "rs").into_iter().filter(|(name, _)| name != "mod");
    for (name, path) in causes.chain(with_text("dns")) {
        let slug = format!("slug: \"{}\"", name.replace('_', "-"));
        assert!(fs::read_to_string(path).unwrap().contains(&slug), "{name}.rs has no {slug}");
    }
}

#[test]
fn each_text_has_the_four_sections_and_says_something_in_each() {
    for cause in every() {
        let mut sections = cause.text.split("## ");
        assert_eq!(sections.next(), Some(""), "{cause:?} begins otherwise");
        let sections: Vec<_> = sections.map(|section| section.split_once("\n\n").unwrap_or((section, ""))).collect();
        assert_eq!(sections.iter().map(|(heading, _)| *heading).collect::<Vec<_>>(), SECTIONS, "{cause:?}");
        for (heading, says) in &sections {
            assert!(!says.trim().is_empty(), "{cause:?} says nothing of {heading:?}");
        }
        assert!(!commands(sections[2].1).is_empty(), "{cause:?} shows no command to see it");
        assert!(!cause.text.contains("TODO"), "{cause:?}");
        let words = cause.text.split_whitespace().count();
        assert!((80..=280).contains(&words), "{cause:?} has {words} words");
    }
}

#[test]
fn a_block_is_of_commands_and_has_an_end() {
    for cause in every() {
        let fences: Vec<_> = cause.text.lines().filter(|line| line.starts_with("```")).collect();
        for (number, fence) in fences.iter().enumerate() {
            assert_eq!(*fence, ["```console", "```"][number % 2], "{cause:?}");
        }
        assert!(fences.len() % 2 == 0, "{cause:?}");
    }
}

#[test]
fn each_command_can_be_typed_and_deletes_no_data() {
    for cause in every() {
        for line in commands(cause.text) {
            let words = shlex::split(line).unwrap_or_else(|| panic!("{cause:?}: {line}"));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let ["kubectl", verb, rest @ ..] = &words[..] else { panic!("{cause:?}: {line}") };
            if *verb == "kubecoin" {
                Cli::try_parse_from(&words[1..]).unwrap_or_else(|error| panic!("{cause:?}: {line}: {error}"));
            } else {
                assert!(VERBS.contains(verb), "{cause:?}: {line}");
            }
            let deletes = *verb == "delete" && !rest.first().is_some_and(|kind| CREATED_AGAIN.contains(kind));
            assert!(!deletes && !line.contains("--force ") && !line.contains("--delete-data"), "{cause:?}: {line}");
            assert!(!["DROP ", "TRUNCATE ", "DELETE "].iter().any(|sql| line.contains(sql)), "{cause:?}: {line}");
        }
    }
}

/// A text names other findings too: `explain` of each must work.
#[test]
fn what_a_text_tells_to_explain_is_there() {
    for line in every().flat_map(|cause| commands(cause.text)) {
        if let Some(code) = line.strip_prefix("kubectl kubecoin explain ") {
            assert!(every().any(|cause| cause.slug == code || cause.id == code), "{line}");
        }
    }
}
