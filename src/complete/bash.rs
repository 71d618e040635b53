//! TAB in bash, which takes `--namespace=al` for three words: it breaks lines at `=` and `:`.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_complete::engine;
use clap_complete::env::{Bash, EnvCompleter};

/// What stands between two candidates, in the script.
const BETWEEN: char = '\u{b}';

/// bash, with a line whose words are put together again.
pub struct Whole;

impl EnvCompleter for Whole {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        Bash.write_registration(variable, name, program, completer, script)
    }

    /// The candidates, each without what bash takes for earlier words.
    fn write_complete(
        &self,
        program: &mut Command,
        line: Vec<OsString>,
        folder: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        let word = line.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
        let before = word.rfind(is_break).map_or("", |end| &word[..=end]);
        let last = line.len().saturating_sub(1);
        let candidates = engine::complete(program, line, last, folder)?;
        let values = candidates.iter().map(|candidate| candidate.get_value().to_string_lossy());
        let values: Vec<_> = values.map(|value| value.strip_prefix(before).unwrap_or(&value).to_owned()).collect();
        answer.write_all(values.join(BETWEEN.encode_utf8(&mut [0; 4])).as_bytes())
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '=' | ':')
}

/// The line up to the cursor, as far as the script says where that is.
pub fn up_to_the_cursor(mut line: Vec<OsString>) -> Vec<OsString> {
    let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse::<usize>().ok());
    line.truncate(index.map_or(line.len(), |index| index + 1));
    line
}

/// The words of a line whose breaks at `=` and `:` are undone.
pub fn put_together(pieces: Vec<OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    let mut goes_on = false;
    for piece in pieces {
        let is_only_breaks = !piece.is_empty() && piece.to_str().is_some_and(|piece| piece.chars().all(is_break));
        match words.last_mut().filter(|_| goes_on || is_only_breaks) {
            Some(word) => word.push(&piece),
            None => words.push(piece),
        }
        goes_on = is_only_breaks;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_was_broken_is_whole_again() {
        let whole = |pieces: &[&str]| put_together(pieces.iter().map(OsString::from).collect());
        assert_eq!(whole(&["p", "status", "--namespace", "=", "al"]), ["p", "status", "--namespace=al"]);
        assert_eq!(whole(&["p", "--context", "arn", ":", "aws", "::", "x"]), ["p", "--context", "arn:aws::x"]);
        assert_eq!(whole(&["p", "--dry-run", "="]), ["p", "--dry-run="]);
        assert_eq!(whole(&["p", "status", ""]), ["p", "status", ""]);
    }
}
