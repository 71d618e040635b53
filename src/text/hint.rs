//! What helps: words for a person, and commands that can be pasted.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

/// A command for a person's shell, in words. It is quoted when it is shown, and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(Vec<String>);

impl Command {
    /// Of a program's name and its arguments.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// The words, as a shell gives them to the program.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// As a line for a shell.
    #[must_use]
    pub fn line(&self) -> String {
        // Quoting fails on NUL alone, which no argument of a process holds.
        shlex::try_join(self.0.iter().map(String::as_str)).unwrap_or_default()
    }

    /// A hint that says first what the command is for.
    #[must_use]
    pub fn to(self, purpose: impl Into<String>) -> Hint {
        Hint(vec![Part::Words(purpose.into() + ": "), Part::Command(self)])
    }
}

/// What helps. Commands are parts of their own: words with a command among them cannot be checked, so there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Command(Command),
}

impl Hint {
    /// This, and something else that helps or comes next.
    #[must_use]
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.0.push(Part::Words("; ".to_owned()));
        self.0.extend(more.into().0);
        self
    }

    /// The same with these words in the place of each of these commands.
    #[must_use]
    pub fn without(self, is: impl Fn(&Command) -> bool, words: &str) -> Self {
        let replaced = |part| match part {
            Part::Command(command) if is(&command) => Part::Words(words.to_owned()),
            other => other,
        };
        Self(self.0.into_iter().map(replaced).collect())
    }

    /// The commands among the words.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.0.iter().filter_map(|part| match part {
            Part::Command(command) => Some(command),
            Part::Words(_) => None,
        })
    }
}

impl Display for Hint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Words(words) => f.write_str(words),
            Part::Command(command) => f.write_str(&command.line()),
        })
    }
}

impl Serialize for Hint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<Command> for Hint {
    fn from(command: Command) -> Self {
        Self(vec![Part::Command(command)])
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Self(vec![Part::Words(words)])
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<&Hint> for Hint {
    fn from(hint: &Hint) -> Self {
        hint.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_among_words_that_are_not() {
        let hint = Command::new(["kubectl", "logs", "it's"]).to("see what it's about").and("then run this again");
        assert_eq!(hint.to_string(), r#"see what it's about: kubectl logs "it's"; then run this again"#);
        assert_eq!(hint.commands().map(Command::words).collect::<Vec<_>>(), [["kubectl", "logs", "it's"]]);
        assert_eq!(serde_json::to_value(&hint).unwrap(), hint.to_string());
    }
}
