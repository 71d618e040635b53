//! An archive that comes out the same wherever it is made.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use tar::{Builder, DETERMINISTIC_TIMESTAMP, EntryType, Header, HeaderMode};

use crate::{paths, plugin, process};

/// What lies beside the program, from the workspace.
const BESIDE: [&str; 2] = ["LICENSE", "README.md"];

/// The folder of the man pages, where `man` looks for them below a folder of `MANPATH`.
const MANUAL: &str = "man/man1";

/// Writes the archive: the program, what lies beside it, and its man pages. All are regular files in the archive's root, or in
/// folders: krew refuses links.
pub fn write(archive: &Path, program: &Path) -> Result<()> {
    let failed = || format!("cannot write {}", archive.display());
    let manual = tempfile::tempdir()?;
    man_pages(program, manual.path())?;
    let file = File::create(archive).with_context(failed)?;
    let mut tar = Builder::new(GzBuilder::new().mtime(0).write(file, Compression::best()));
    // Neither time nor owner, which differ from machine to machine.
    tar.mode(HeaderMode::Deterministic);
    for name in BESIDE {
        tar.append_path_with_name(paths::workspace().join(name), name).with_context(failed)?;
    }
    tar.append_path_with_name(program, plugin::NAME).with_context(failed)?;
    for folder in ["man/", "man/man1/"] {
        append_folder(&mut tar, folder).with_context(failed)?;
    }
    for page in paths::entries(manual.path())? {
        let name = page.file_name().context("a file has a name")?;
        tar.append_path_with_name(&page, Path::new(MANUAL).join(name)).with_context(failed)?;
    }
    tar.into_inner().and_then(GzEncoder::finish).and_then(|file| file.sync_all()).with_context(failed)
}

fn append_folder(tar: &mut Builder<impl std::io::Write>, name: &str) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    header.set_mtime(DETERMINISTIC_TIMESTAMP);
    tar.append_data(&mut header, name, std::io::empty())
}

/// The man pages of a program, as files of a folder.
fn man_pages(program: &Path, folder: &Path) -> Result<()> {
    let written = process::output(Command::new(program).args(["reference", "man"]).arg(folder));
    written.map(drop).context("the program writes its man pages itself, so it must be built where it can run")
}
