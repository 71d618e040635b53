//! The manual as man pages.

use std::io;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{Page, usage, visible};
use crate::program;

/// A page for a command, and for each of those below it.
pub fn pages(command: &clap::Command) -> io::Result<Vec<Page>> {
    let mut pages = vec![Page { file: format!("{}.1", name(command)), text: page(command)? }];
    for command in visible(command) {
        pages.extend(self::pages(command)?);
    }
    Ok(pages)
}

/// `kubectl-kubecoin-deploy`.
fn name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let examples = command.get_after_help().map(ToString::to_string);
    let title = name(command).to_uppercase();
    // clap_mangen would list each flag once more, and leave out the help of those that only a long help shows.
    let shown = command.clone().override_usage(usage(command)).mut_args(|flag| flag.hide_short_help(false));
    let man = Man::new(shown)
        .title(title)
        .source(concat!(env!("CARGO_PKG_NAME"), " v", env!("CARGO_PKG_VERSION")))
        .manual(program::COMMAND.join(" "));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if visible(command).next().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(examples) = examples {
        as_it_stands("EXAMPLES", examples.trim_start_matches("Examples:\n")).to_writer(&mut page)?;
    }
    Ok(page)
}

/// A section whose lines are not filled.
fn as_it_stands(heading: &str, text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]).control("nf", []);
    for line in text.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_command_has_a_page_with_its_usage_and_examples() {
        let mut program = Cli::command();
        program.build();
        let pages = pages(&program).unwrap();
        let page = |name: &str| {
            let page = pages.iter().find(|page| page.file == name).unwrap_or_else(|| panic!("no {name}"));
            String::from_utf8_lossy(&page.text)
        };
        let deploy = page("kubectl-kubecoin-deploy.1");
        for part in [
            "\\fBkubectl kubecoin deploy\\fR [OPTIONS]",
            ".SH EXAMPLES\n.nf\n  kubectl kubecoin deploy",
            "\\-\\-storage",
            "Path to the kubeconfig file",
        ] {
            assert!(deploy.contains(part), "{part} is not in\n{deploy}");
        }
        for command in program.get_subcommands() {
            let file = format!("kubectl-kubecoin-{}.1", command.get_name());
            assert_eq!(pages.iter().any(|page| page.file == file), !command.is_hide_set(), "{file}");
        }
        assert!(page("kubectl-kubecoin-completion-install.1").contains("DIR"));
    }
}
