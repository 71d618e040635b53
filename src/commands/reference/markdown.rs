//! The manual in Markdown, as the repository shows it.

use clap::{Arg, Command};

use super::{Page, usage, visible};

/// The page that lists the others, and has what they share.
const INDEX: &str = "README.md";

/// The head of a table of commands.
const COMMANDS: &str = "| command | what it does |\n|---|---|\n";

/// Leads to the page that `reference findings` writes, as it lies beside the folder of these.
const FINDINGS: &str = "\nWhat the codes of `status` and `dns-check` mean: [the findings](../findings.md).\n";

/// A page for each command, and one that lists them.
pub fn pages(program: &Command) -> Vec<Page> {
    let pages = visible(program).map(|command| Page { file: file(command), text: page(command).into_bytes() });
    [Page { file: INDEX.to_owned(), text: index(program).into_bytes() }].into_iter().chain(pages).collect()
}

fn file(command: &Command) -> String {
    format!("{}.md", command.get_name())
}

fn index(program: &Command) -> String {
    let row =
        |command: &Command| format!("| [`{}`]({}) | {} |\n", command.get_name(), file(command), cell(&about(command)));
    let commands: String = visible(program).map(row).collect();
    let flags =
        headings(program).into_iter().map(|heading| ["\n## ", &heading, "\n\n", &table(program, &heading)].concat());
    ["# The commands\n\n", COMMANDS, &commands, FINDINGS, &flags.collect::<String>(), &examples(program)].concat()
}

fn page(command: &Command) -> String {
    let head = format!("# {}\n\n{}\n\n    {}\n", full_name(command), sentence(&about(command)), usage(command));
    let below: String = visible(command).map(below).collect();
    let below = if below.is_empty() { below } else { ["\n", COMMANDS, &below].concat() };
    let flags = rows(own(command));
    let flags = if own(command).next().is_none() { String::new() } else { ["\n## Options\n\n", &flags].concat() };
    let end = format!("\nFlags of every command: [the commands]({INDEX}).\n");
    [head, below, flags, examples(command), end].concat()
}

/// The rows of a command below another one: itself, and its flags.
fn below(command: &Command) -> String {
    let full_name = full_name(command);
    let row = |name: &str, what: &str| ["| `", name, "` | ", &cell(what), " |\n"].concat();
    let flags = own(command).map(|flag| row(&format!("{full_name} {}", name(flag)), &help(flag)));
    row(&full_name, &about(command)) + &flags.collect::<String>()
}

/// `kubectl kubecoin deploy`.
fn full_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// A command's flags and arguments that other commands do not have.
fn own(command: &Command) -> impl Iterator<Item = &Arg> {
    let shown = |flag: &&Arg| !flag.is_global_set() && !flag.is_hide_set() && flag.get_id() != "help";
    command.get_arguments().filter(shown)
}

/// The headings of the flags of every command, in their order.
fn headings(program: &Command) -> Vec<String> {
    let mut headings = Vec::new();
    for heading in program.get_arguments().filter(|flag| flag.is_global_set()).filter_map(Arg::get_help_heading) {
        if !headings.iter().any(|known| known == heading) {
            headings.push(heading.to_owned());
        }
    }
    headings
}

fn table(program: &Command, heading: &str) -> String {
    rows(program.get_arguments().filter(|flag| flag.get_help_heading() == Some(heading) && !flag.is_hide_set()))
}

fn rows<'a>(flags: impl Iterator<Item = &'a Arg>) -> String {
    let rows = flags.map(|flag| ["| `", &name(flag), "` | ", &cell(&help(flag)), " |\n"].concat());
    "| flag | what it does |\n|---|---|\n".to_owned() + &rows.collect::<String>()
}

/// `-o, --output <FORMAT>`.
fn name(flag: &Arg) -> String {
    let value = flag.get_value_names().filter(|_| flag.get_action().takes_values()).map(|names| names[0].as_str());
    let value = value.map(|value| if value.starts_with('<') { value.to_owned() } else { format!("<{value}>") });
    let Some(long) = flag.get_long() else { return value.unwrap_or_default() };
    let short = flag.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let value = value.map(|value| match flag.get_num_args() {
        Some(range) if range.min_values() == 0 => format!("[={value}]"),
        _ => format!(" {value}"),
    });
    format!("{short}--{long}{}", value.unwrap_or_default())
}

fn help(flag: &Arg) -> String {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let default = flag.get_default_values().first().filter(|_| !flag.is_hide_default_value_set());
    match default.filter(|_| flag.get_action().takes_values()) {
        Some(default) => format!("{help} [default: {}]", default.to_string_lossy()),
        None => help,
    }
}

/// The examples as a block, and what is said after them.
fn examples(command: &Command) -> String {
    let Some(help) = command.get_after_help().map(ToString::to_string) else { return String::new() };
    let lines = help.lines().filter(|line| *line != "Examples:");
    let (examples, said): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("  "));
    let examples: String = examples.into_iter().map(|line| ["    ", &line[2..], "\n"].concat()).collect();
    let said = said.join("\n");
    let said = said.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
    let said: String = said.map(|part| ["\n", &escaped(part), "\n"].concat()).collect();
    ["\n## Examples\n\n", &examples, &said].concat()
}

fn sentence(text: &str) -> String {
    escaped(text) + if text.ends_with('.') { "" } else { "." }
}

/// Text of a cell, which ends at a bar.
fn cell(text: &str) -> String {
    escaped(text).replace('|', "\\|")
}

/// Text in which no character stands for a tag or for emphasis.
fn escaped(text: &str) -> String {
    text.replace('<', "\\<").replace('*', "\\*")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn text_of(name: &str) -> String {
        let mut program = Cli::command();
        program.build();
        let page = pages(&program).into_iter().find(|page| page.file == name).unwrap_or_else(|| panic!("no {name}"));
        String::from_utf8(page.text).unwrap()
    }

    #[test]
    fn a_page_has_the_flags_of_its_command_and_leads_to_those_of_all() {
        let status = text_of("status.md");
        assert!(status.starts_with("# kubectl kubecoin status\n\nShow the exchange's objects"), "{status}");
        for part in ["| `-o, --output <FORMAT>` | ", "    kubectl kubecoin status\n", "[the commands](README.md)"] {
            assert!(status.contains(part), "no {part:?} in\n{status}");
        }
        assert!(!status.contains("--kubeconfig") && !status.contains("`-h"), "{status}");
    }

    #[test]
    fn the_index_leads_to_each_page_and_has_the_flags_of_every_command() {
        let index = text_of("README.md");
        for part in [
            "[`persistence-demo`](persistence-demo.md)",
            "[the findings](../findings.md)",
            "## Connection flags",
            "| `--kubeconfig <FILE>` | ",
            "| `-v, --v[=<LEVEL>]` | ",
        ] {
            assert!(index.contains(part), "no {part:?} in\n{index}");
        }
        assert!(!index.contains("`reference`") && !index.contains("--cache-dir"), "{index}");
    }

    #[test]
    fn commands_below_a_command_are_on_its_page() {
        let completion = text_of("completion.md");
        assert!(completion.contains("| `kubectl kubecoin completion install` | "), "{completion}");
        assert!(completion.contains("| `kubectl kubecoin completion install --folder <DIR>` | "), "{completion}");
    }
}
