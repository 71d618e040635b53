//! Commands for a person to type, which lead where this run goes.

use crate::program;
use crate::text::{Command, Hint};

/// What such a command needs: without it, a pasted hint acts on whatever context is the current one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// The namespace; none if it goes without saying.
    pub namespace: Option<String>,
    /// The connection flags that this run was given, as kubectl has them.
    pub given: Vec<String>,
}

/// The words of a command: one text if this program's author wrote all of it, else each word for itself. So nothing that
/// comes from outside is taken for more than one word.
pub trait Words {
    /// Each word for itself.
    fn words(self) -> Vec<String>;
}

impl Words for &'static str {
    fn words(self) -> Vec<String> {
        shlex::split(self).unwrap_or_default()
    }
}

impl<const N: usize> Words for [&str; N] {
    fn words(self) -> Vec<String> {
        self.map(str::to_owned).to_vec()
    }
}

impl Words for Vec<String> {
    fn words(self) -> Vec<String> {
        self
    }
}

/// Whether a command is this one of this program.
#[must_use]
pub fn is_own(command: &Command, name: &str) -> bool {
    command
        .words()
        .strip_prefix(&program::COMMAND.map(str::to_owned))
        .is_some_and(|words| words.first().is_some_and(|word| word == name))
}

impl ByHand {
    /// The same for another namespace, which the reader names.
    #[must_use]
    pub fn elsewhere(&self) -> Self {
        Self { namespace: Some("NAME".to_owned()), given: self.given.clone() }
    }

    /// A command of this program.
    #[must_use]
    pub fn own(&self, words: impl Words) -> Command {
        self.command(&program::COMMAND, words, self.namespace.as_deref())
    }

    /// A command of kubectl.
    #[must_use]
    pub fn kubectl(&self, words: impl Words) -> Command {
        self.command(&["kubectl"], words, self.namespace.as_deref())
    }

    /// A command of kubectl for what is in no namespace, or in one that the words name.
    #[must_use]
    pub fn kubectl_of_cluster(&self, words: impl Words) -> Command {
        self.command(&["kubectl"], words, None)
    }

    /// Shows what one may do.
    #[must_use]
    pub fn check_permissions(&self) -> Hint {
        self.kubectl("auth can-i --list").to("check your permissions")
    }

    /// Asks the API server how it is, part by part.
    #[must_use]
    pub fn check_server(&self) -> Hint {
        self.kubectl_of_cluster("get --raw /readyz?verbose").to("check the API server")
    }

    fn command(&self, name: &[&str], words: impl Words, namespace: Option<&str>) -> Command {
        let mut words = words.words();
        // What follows a bare -- belongs to another program.
        let own = words.iter().position(|word| word == "--").unwrap_or(words.len());
        let rest = words.split_off(own);
        let named = namespace.into_iter().flat_map(|namespace| ["-n", namespace]).map(str::to_owned);
        let name = name.iter().copied().map(str::to_owned);
        Command::new(name.chain(words).chain(named).chain(self.given.iter().cloned()).chain(rest))
    }
}

#[cfg(test)]
#[allow(missing_docs, reason = "the tests of other files use it too")]
#[path = "by_hand_tests.rs"]
pub mod tests;
