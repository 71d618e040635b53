//! `reference`: the manual of each command, made from the program itself. Hidden: those who package the plugin run it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::program;

/// What `reference` is asked.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// In which form.
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Write a man page for each command
    Man {
        /// Folder for the pages, which is created
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Writes it.
///
/// # Errors
/// If a file cannot be written.
pub fn run(args: &Args, mut program: clap::Command, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let Form::Man { folder } = &args.form;
    program.build();
    fs::create_dir_all(folder).and_then(|()| man_pages(&program, folder)).map_err(|error| {
        Error::new(format!("could not write to {}: {error}", folder.display()), "choose another folder")
    })?;
    ctx.printer.out(format!("{} written", folder.display()))?;
    Ok(Outcome::Holds)
}

/// Writes a page for a command, and for each of those below it.
fn man_pages(command: &clap::Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), man_page(command)?)?;
    let below = command.get_subcommands().filter(|command| !command.is_hide_set());
    below.into_iter().try_for_each(|command| man_pages(command, folder))
}

fn man_page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut command = command.clone();
    let usage = command.render_usage().to_string();
    let has_commands = command.get_subcommands().any(|command| !command.is_hide_set());
    let examples = command.get_after_help().map(ToString::to_string);
    let title = command.get_display_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    // clap_mangen would list each flag once more.
    let command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
    // It would leave the help of these out.
    let command = command.mut_args(|flag| flag.hide_short_help(false));
    let man = Man::new(command)
        .title(title)
        .source(concat!(env!("CARGO_PKG_NAME"), " v", env!("CARGO_PKG_VERSION")))
        .manual(program::COMMAND.join(" "));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_commands {
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
        let folder = tempfile::tempdir().unwrap();
        let mut program = Cli::command();
        program.build();
        man_pages(&program, folder.path()).unwrap();
        let page =
            |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let deploy = page("kubectl-kubecoin-deploy.1");
        for part in [
            "\\fBkubectl kubecoin deploy\\fR [OPTIONS]",
            ".SH EXAMPLES\n.nf\n  kubectl kubecoin deploy",
            "\\-\\-storage",
        ] {
            assert!(deploy.contains(part), "{part} is not in\n{deploy}");
        }
        for command in program.get_subcommands() {
            let file = folder.path().join(format!("kubectl-kubecoin-{}.1", command.get_name()));
            assert_eq!(file.exists(), !command.is_hide_set(), "{}", file.display());
        }
        assert!(page("kubectl-kubecoin-completion-install.1").contains("DIR"));
    }
}
