//! The documentation, as somebody follows it who types each of its commands.

pub mod markdown;
mod pages;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rexpect::session::spawn_command;

use crate::support::plugin;
use crate::support::scene::Scene;
use markdown::Block;

/// As long as a block may take: a first start is in one.
const PATIENCE: Duration = Duration::from_mins(5);

/// The blocks of the lesson that cannot run here, by their first words, and why.
const NOT_HERE: [(&str, &str); 1] = [("cargo xtask images --into minikube", "there is no minikube")];

/// A page of the documentation.
pub fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Types lines into bash, at a terminal, in a folder. They must succeed. Gives what is shown.
pub fn typed(lines: &str, home: &Path) -> String {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &format!("{lines}\necho it has ended well")]);
    bash.env("PATH", plugin::path()).env("TERM", "dumb").current_dir(home);
    let limit = PATIENCE.as_millis().try_into().unwrap();
    let mut session = spawn_command(bash, Some(limit)).unwrap();
    session.process_mut().set_kill_timeout(Some(100));
    let shown = session.exp_eof().unwrap_or_else(|error| panic!("{lines}\n{error}"));
    assert!(shown.trim_end().ends_with("it has ended well"), "{lines}\n{shown}");
    shown
}

#[test]
fn each_block_of_the_lesson_shows_what_the_page_says() {
    let _scene = Scene::empty_cluster();
    // The chapter on several servers needs volumes that the cluster creates: `shared::scaling` types it.
    let (_, rest) = markdown::chapter(&page("docs/lesson.md"), OF_SEVERAL);
    let run = shows_what_it_says(&markdown::blocks(&rest));
    assert!(run > 10, "only {run} blocks were found");
}

/// The heading of the chapter of the lesson on a replicated database.
pub const OF_SEVERAL: &str = "A database of three";

/// Types the commands of these blocks. Each must show what the page says below it. Gives how many were typed.
pub fn shows_what_it_says(blocks: &[Block]) -> usize {
    let (mut shown, mut run) = (String::new(), 0);
    for block in blocks {
        match block {
            Block::Commands(lines) => {
                if let Some((first, why)) = NOT_HERE.iter().find(|(first, _)| lines.starts_with(first)) {
                    println!("not run: {first}: {why}");
                } else {
                    shown = typed(lines, Path::new(env!("CARGO_MANIFEST_DIR")));
                    run += 1;
                }
            }
            Block::Shown(text) => {
                for line in text.lines() {
                    assert!(markdown::shows(&shown, line), "the lesson promises {line:?}, and there is\n{shown}");
                }
            }
        }
    }
    run
}
