//! Archives that stand in for those of a release.

use std::fs;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::stage::ran;

/// An entry of an archive.
pub enum Entry {
    File(&'static str),
    /// A program, which is a script for sh.
    Program(&'static str),
    Link,
}

/// Writes an archive of entries by their names.
pub fn write(path: &Path, entries: &[(&str, Entry)]) {
    let mut tar = Builder::new(GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast()));
    for (name, entry) in entries {
        let mut header = Header::new_gnu();
        let (kind, mode, text) = match entry {
            Entry::File(text) => (EntryType::Regular, 0o644, *text),
            Entry::Program(text) => (EntryType::Regular, 0o755, *text),
            Entry::Link => (EntryType::Symlink, 0o777, ""),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(text.len().try_into().unwrap());
        if matches!(entry, Entry::Link) {
            tar.append_link(&mut header, name, "LICENSE").unwrap();
        } else {
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
    }
    tar.into_inner().unwrap().finish().unwrap();
}

/// The checksum of a file, in hexadecimal.
pub fn sha256(path: &Path) -> String {
    let sum = ran(Command::new("sha256sum").arg(path));
    sum.stdout.split(' ').next().unwrap().to_owned()
}
