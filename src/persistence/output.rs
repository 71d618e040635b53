//! What a command has written: of any length, and so as a checksum, with its beginning for people.

use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::text::hex;

/// What a command has written to stdout, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Its exit code.
    pub code: i32,
    /// How many bytes it wrote.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: String,
    /// The first line of them, or its beginning.
    pub first_line: String,
    /// The last line of stderr.
    pub said: String,
}

impl Output {
    /// Whether it read anything.
    #[must_use]
    pub fn is_something(&self) -> bool {
        self.code == 0 && self.bytes > 0
    }

    /// Whether both have read the same bytes.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let of = |output: &Self| (output.code, output.bytes, output.sha256.clone(), output.first_line.clone());
        of(self) == of(other)
    }

    /// It in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self { code: 0, bytes: 0, .. } => "nothing".to_owned(),
            Self { code: 0, bytes, sha256, first_line, .. } => {
                format!("{bytes} bytes, SHA-256 {}, {first_line:?}", short(sha256))
            }
            Self { code, said, .. } if said.is_empty() => format!("exit code {code}"),
            Self { code, said, .. } => format!("exit code {code}: {said}"),
        }
    }
}

/// As much of a checksum as people compare. The report has all of it.
fn short(sha256: &str) -> String {
    let shown: String = sha256.chars().take(SHOWN).collect();
    if shown.len() < sha256.len() { shown + "…" } else { shown }
}

const SHOWN: usize = 16;

/// As many bytes of the first line as are kept.
const FIRST_LINE: usize = 120;

/// Takes in what a command writes, piece by piece.
pub struct Digest {
    context: Context,
    bytes: u64,
    first_line: Vec<u8>,
    first_line_ended: bool,
}

impl Default for Digest {
    fn default() -> Self {
        Self { context: Context::new(&SHA256), bytes: 0, first_line: Vec::new(), first_line_ended: false }
    }
}

impl Digest {
    /// Takes in the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.context.update(piece);
        self.bytes += piece.len() as u64;
        if !self.first_line_ended {
            let end = piece.iter().position(|byte| *byte == b'\n');
            let room = FIRST_LINE.saturating_sub(self.first_line.len());
            let line = &piece[..end.unwrap_or(piece.len())];
            self.first_line.extend_from_slice(&line[..line.len().min(room)]);
            self.first_line_ended = end.is_some();
        }
    }

    /// All that was written, by a command that has ended so.
    #[must_use]
    pub fn end(self, code: i32, said: String) -> Output {
        let sha256 = hex(self.context.finish().as_ref());
        let first_line = String::from_utf8_lossy(&self.first_line).into_owned();
        Output { code, bytes: self.bytes, sha256, first_line, said }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn output<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Output {
        let mut digest = Digest::default();
        pieces.into_iter().for_each(|piece| digest.push(piece));
        digest.end(0, String::new())
    }

    #[test]
    fn it_is_the_checksum_that_sha256sum_makes() {
        let output = output([b"abc".as_slice()]);
        assert_eq!(output.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(output.words(), "3 bytes, SHA-256 ba7816bf8f01cfea…, \"abc\"");
    }

    #[test]
    fn a_failure_is_told_with_what_it_said() {
        let failed = Digest::default().end(2, "no such file".to_owned());
        assert_eq!((failed.is_something(), failed.words().as_str()), (false, "exit code 2: no such file"));
        assert_eq!((output([]).is_something(), output([]).words().as_str()), (false, "nothing"));
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_come_to_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..500), size in 1..50_usize) {
            prop_assert_eq!(output(bytes.chunks(size)), output([bytes.as_slice()]));
        }

        #[test]
        fn other_bytes_are_not_the_same(bytes in proptest::collection::vec(any::<u8>(), 1..300), at in any::<prop::sample::Index>()) {
            let mut other = bytes.clone();
            let at = at.index(bytes.len());
            other[at] = other[at].wrapping_add(1);
            prop_assert!(!output([bytes.as_slice()]).is_same(&output([other.as_slice()])));
        }
    }
}
