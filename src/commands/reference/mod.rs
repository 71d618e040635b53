//! `reference`: the manual of each command, made from the program itself. Hidden: those who package the plugin run it.

mod codes;
mod man;
mod markdown;

use std::fs;
use std::path::PathBuf;

use clap::Subcommand;

use crate::context::Ctx;
use crate::error::{Error, Outcome};

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
    Man(Into),
    /// Write a page in Markdown for each command, and one that lists them
    Markdown(Into),
    /// Print the page about the codes of findings, in Markdown
    Findings,
}

#[derive(Debug, clap::Args)]
struct Into {
    /// Folder for the pages, which is created
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes it.
///
/// # Errors
/// If a file cannot be written.
pub fn run(args: &Args, mut program: clap::Command, ctx: &Ctx) -> anyhow::Result<Outcome> {
    program.build();
    let (pages, folder) = match &args.form {
        Form::Man(Into { folder }) => (man::pages(&program), folder),
        Form::Markdown(Into { folder }) => (Ok(markdown::pages(&program)), folder),
        Form::Findings => {
            ctx.printer.out_text(&codes::page())?;
            return Ok(Outcome::Holds);
        }
    };
    let written = fs::create_dir_all(folder)
        .and_then(|()| pages?.into_iter().try_for_each(|page| fs::write(folder.join(page.file), page.text)));
    written.map_err(|error| {
        Error::new(format!("could not write to {}: {error}", folder.display()), "choose another folder")
    })?;
    ctx.printer.out(format!("{} written", folder.display()))?;
    Ok(Outcome::Holds)
}

/// A page of the manual.
struct Page {
    file: String,
    text: Vec<u8>,
}

/// The commands that people see below a command.
fn visible(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command.get_subcommands().filter(|command| !command.is_hide_set())
}

/// How a command is typed, without the word before it: `kubectl kubecoin deploy [OPTIONS]`.
fn usage(command: &clap::Command) -> String {
    command.clone().render_usage().to_string().trim_start_matches("Usage: ").to_owned()
}
