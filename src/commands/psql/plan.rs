//! What psql is asked, and how it is connected: from what the user typed alone.

use std::path::{Path, PathBuf};

use super::Args;
use super::Primary;
use crate::exchange::{names, psql};
use crate::kubernetes::Place;
use crate::kubernetes::act::command;
use crate::kubernetes::exec::Mode;

/// psql as it is to be run.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The pod that it runs in.
    pub pod: String,
    /// psql and its arguments.
    command: Vec<String>,
    /// How it is connected.
    pub mode: Mode,
    /// What it reads, unless that is this program's stdin.
    pub file: Option<PathBuf>,
}

impl Plan {
    /// From the flags, and whether a person is at a terminal.
    pub fn new(args: &Args, server: &Primary, interactive: bool) -> Self {
        let mut words: Vec<String> = ["psql", "-U", server.owner, "-d", names::DATABASE].map(str::to_owned).into();
        for sql in &args.command {
            words.extend(["-c".to_owned(), sql.clone()]);
        }
        if args.file.is_some() {
            // psql counts the lines of what it reads by -f, and says them in its errors.
            words.extend(["-f", "-"].map(str::to_owned));
        }
        words.extend(args.psql.iter().cloned());
        let reads = args.command.is_empty() || args.command.iter().any(|sql| reads_stdin(sql));
        let mode = match (reads, interactive && args.command.is_empty() && args.file.is_none()) {
            (false, _) => Mode::Output,
            (true, true) => Mode::Terminal,
            (true, false) => Mode::Pipes,
        };
        Self { pod: server.pod.clone(), command: words, mode, file: file(args).map(Path::to_path_buf) }
    }

    /// The program, with a mark by which it is found again, and without a history: what was typed is nobody else's, and
    /// the container may have no place for it.
    pub fn program(&self, mark: &str) -> Vec<String> {
        let variables = ["env".to_owned(), format!("{}={mark}", psql::MARK), "PSQL_HISTORY=/dev/null".to_owned()];
        variables.into_iter().chain(self.command.iter().cloned()).collect()
    }

    /// The same by kubectl.
    pub fn kubectl(&self, place: &Place) -> String {
        let mut words = vec!["exec"];
        words.extend(match self.mode {
            Mode::Output => None,
            Mode::Pipes => Some("-i"),
            Mode::Terminal => Some("-it"),
        });
        words.extend([self.pod.as_str(), "-c", names::POSTGRES, "--"]);
        words.extend(self.command.iter().map(String::as_str));
        let line = command(place, &words);
        match &self.file {
            // Quoting fails on NUL alone, which no path holds.
            Some(file) => format!("{line} < {}", shlex::try_quote(&file.to_string_lossy()).unwrap_or_default()),
            None => line,
        }
    }
}

/// The file that psql reads, unless that is this program's stdin.
pub fn file(args: &Args) -> Option<&Path> {
    args.file.as_deref().filter(|file| *file != Path::new("-"))
}

/// Whether a command reads psql's stdin. If none does, it is left to whoever else reads it, such as a loop of a shell.
fn reads_stdin(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    ["stdin", "\\prompt", "\\i -", "\\include -"].iter().any(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(command: &[&str], file: Option<&str>, psql: &[&str], interactive: bool) -> Plan {
        let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let args = Args { command: all(command), file: file.map(PathBuf::from), member: None, psql: all(psql) };
        let server = Primary { pod: names::POSTGRES_POD.to_owned(), owner: names::DATABASE_USER };
        Plan::new(&args, &server, interactive)
    }

    fn shown(plan: &Plan) -> String {
        let place = Place { context: "c".to_owned(), namespace: "alice".to_owned(), ..Place::default() };
        plan.kubectl(&place)
    }

    #[test]
    fn a_person_gets_a_terminal_and_a_pipe_does_not() {
        let person = plan(&[], None, &[], true);
        assert_eq!(person.mode, Mode::Terminal);
        assert_eq!(shown(&person), "kubectl -n alice exec -it postgres-0 -c postgres -- psql -U postgres -d kubecoin");
        let pipe = plan(&[], None, &["-A", "-t"], false);
        assert_eq!(pipe.mode, Mode::Pipes);
        assert!(shown(&pipe).contains("exec -i ") && shown(&pipe).ends_with("kubecoin -A -t"), "{}", shown(&pipe));
    }

    #[test]
    fn a_command_leaves_stdin_alone_unless_it_reads_it() {
        let plain = plan(&["select 1", "select 2"], None, &[], true);
        assert_eq!(plain.mode, Mode::Output);
        assert!(
            shown(&plain)
                .ends_with("exec postgres-0 -c postgres -- psql -U postgres -d kubecoin -c 'select 1' -c 'select 2'")
        );
        for sql in ["COPY t FROM STDIN", "\\copy t from pstdin", "\\prompt x", "\\i -"] {
            assert_eq!(plan(&["select 1", sql], None, &[], false).mode, Mode::Pipes, "{sql}");
        }
    }

    #[test]
    fn a_file_is_read_here() {
        let file = plan(&[], Some("my file.sql"), &[], true);
        assert_eq!((file.mode, file.file.as_deref()), (Mode::Pipes, Some(Path::new("my file.sql"))));
        assert!(shown(&file).ends_with("psql -U postgres -d kubecoin -f - < 'my file.sql'"), "{}", shown(&file));
        let stdin = plan(&[], Some("-"), &[], true);
        assert_eq!((stdin.mode, stdin.file), (Mode::Pipes, None));
    }
}
