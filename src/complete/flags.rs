//! Which values each flag takes.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::values::{self, Names, Values};

/// What a flag's value is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    /// A name that is looked up.
    Name(Names),
    /// A code or the name of a finding.
    Code,
    /// The same, or a topic of the lesson.
    TopicOrCode,
    File,
    Folder,
    /// Nothing that can be offered: a number, a time, a text.
    Free,
}

/// The flags and arguments that take a value, but for those whose values clap knows.
const VALUES: &[(Value, &[&str])] = &[
    (Value::Name(Names::Contexts), &["context"]),
    (Value::Name(Names::Clusters), &["cluster"]),
    (Value::Name(Names::Users), &["user"]),
    (Value::Name(Names::Namespaces), &["namespace"]),
    (Value::Name(Names::StatefulSets), &["target"]),
    (Value::Name(Names::Pods), &["from", "member", "to"]),
    (Value::Name(Names::Nodes), &["node"]),
    (Value::Name(Names::StorageClasses), &["storage_class"]),
    (
        Value::File,
        &[
            "kubeconfig",
            "certificate_authority",
            "client_certificate",
            "client_key",
            "kuberc",
            "file",
            "report",
            "save",
            "case",
        ],
    ),
    (Value::Folder, &["output_directory", "folder"]),
    (Value::Code, &["only", "fix"]),
    (Value::TopicOrCode, &["topic_or_code"]),
    (
        Value::Free,
        &[
            // of every command
            "verbosity",
            "server",
            "token",
            "impersonate",
            "impersonate_group",
            "impersonate_uid",
            "impersonate_extra",
            "username",
            "password",
            "request_timeout",
            "tls_server_name",
            "proxy_url",
            "cache_dir",
            "disable_compression",
            "profile",
            "profile_output",
            "log_flush_frequency",
            "vmodule",
            // of one or several
            "psql",
            "backend_image",
            "clean",
            "command",
            "container",
            "frontend_image",
            "host_path",
            "image",
            "max_gap",
            "names",
            "node_port",
            "number",
            "port",
            "postgres_image",
            "predict",
            "read",
            "registry",
            "replicas",
            "rows",
            "start_node",
            "stop_node",
            "timeout",
            "times",
            "variant",
            "volume_size",
            "wallet",
            "words",
            "write",
        ],
    ),
];

fn value(id: &str) -> Option<Value> {
    VALUES.iter().find(|(_, ids)| ids.contains(&id)).map(|(value, _)| *value)
}

/// The program with the values of its flags. Where the shell is to complete files, that is noted and none is offered.
pub fn with_values(program: Command, values: &Values, files: Option<&Arc<AtomicBool>>) -> Command {
    of_all(program, &|flag| match value(flag.get_id().as_str()) {
        Some(Value::Name(names)) => {
            let values = values.clone();
            flag.add(ArgValueCompleter::new(move |word: &OsStr| values.that_complete(names, word)))
        }
        Some(Value::Code) => flag.add(ArgValueCompleter::new(values::codes)),
        Some(Value::TopicOrCode) => flag.add(ArgValueCompleter::new(values::topics_and_codes)),
        Some(hint @ (Value::File | Value::Folder)) => match files.map(Arc::clone) {
            Some(files) => flag.add(ArgValueCompleter::new(move |_: &OsStr| {
                files.store(true, Ordering::Relaxed);
                Vec::<CompletionCandidate>::new()
            })),
            None if hint == Value::File => flag.value_hint(ValueHint::AnyPath),
            None => flag.value_hint(ValueHint::DirPath),
        },
        Some(Value::Free) | None => flag,
    })
}

/// The program with its flags offered only where there is nothing else: as in kubectl, they come with the first dash.
pub fn hidden(program: Command) -> Command {
    of_all(program, &|flag| if flag.is_positional() { flag } else { flag.hide(true) })
}

fn of_all(program: Command, change: &impl Fn(Arg) -> Arg) -> Command {
    let program = program.mut_args(change);
    program.mut_subcommands(|command| of_all(command, change))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    /// The flags of a command and those below it that take a value which clap does not know.
    fn taking_values(command: &Command) -> Vec<String> {
        let own = command
            .get_arguments()
            .filter(|flag| flag.get_action().takes_values() && flag.get_possible_values().is_empty());
        let own = own.map(|flag| flag.get_id().to_string());
        own.chain(command.get_subcommands().flat_map(taking_values)).collect()
    }

    #[test]
    fn each_flag_is_known() {
        let taking = taking_values(&Cli::command());
        for id in &taking {
            assert!(value(id).is_some(), "which values does {id} take? VALUES does not say");
        }
        for id in VALUES.iter().flat_map(|(_, ids)| *ids) {
            assert!(taking.iter().any(|taken| taken == id), "no flag or argument {id} takes a value");
        }
    }
}
