//! Commands for a person to type, which lead where this run goes.

/// What such a command needs: without it, a pasted hint acts on whatever context is the current one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// The namespace; none if it goes without saying.
    pub namespace: Option<String>,
    /// The connection flags that this run was given, as kubectl has them.
    pub given: Vec<String>,
}

impl ByHand {
    /// A command of this program.
    #[must_use]
    pub fn own(&self, words: &str) -> String {
        self.line("kubectl kubecoin", words, self.namespace.as_deref())
    }

    /// A command of kubectl.
    #[must_use]
    pub fn kubectl(&self, words: &str) -> String {
        self.line("kubectl", words, self.namespace.as_deref())
    }

    /// A command of kubectl for what is in no namespace, or in one that the words name.
    #[must_use]
    pub fn kubectl_of_cluster(&self, words: &str) -> String {
        self.line("kubectl", words, None)
    }

    fn line(&self, program: &str, words: &str, namespace: Option<&str>) -> String {
        let named = namespace.into_iter().flat_map(|namespace| ["-n", namespace]);
        let flags = named.chain(self.given.iter().map(String::as_str));
        // Quoting fails on NUL alone, which no argument of a process holds.
        let flags = shlex::try_join(flags).unwrap_or_default();
        let gap = if flags.is_empty() { "" } else { " " };
        format!("{program} {words}{gap}{flags}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_what_this_run_was_given() {
        let given = ["--context", "my staging"].map(str::to_owned).to_vec();
        let by_hand = ByHand { namespace: Some("alice".to_owned()), given };
        assert_eq!(by_hand.own("deploy"), "kubectl kubecoin deploy -n alice --context 'my staging'");
        assert_eq!(by_hand.kubectl("get pods"), "kubectl get pods -n alice --context 'my staging'");
        assert_eq!(by_hand.kubectl_of_cluster("get nodes"), "kubectl get nodes --context 'my staging'");
        assert_eq!(ByHand::default().own("deploy"), "kubectl kubecoin deploy");
    }
}
