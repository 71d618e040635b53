//! PEM as Go reads it: what is no block, or a broken one, is skipped.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

/// Bits that no byte takes are not looked at, as in Go.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// A block: what is between BEGIN and END. It may be a key: it has no Debug form.
pub struct Block {
    /// What it says that it is: `CERTIFICATE`.
    pub label: String,
    /// Its headers, as an encrypted key of old has.
    pub headers: Vec<String>,
    /// What it holds.
    pub der: Vec<u8>,
}

impl Block {
    /// Whether it says that it holds a private key.
    pub fn is_private_key(&self) -> bool {
        self.label == "PRIVATE KEY" || self.label.ends_with(" PRIVATE KEY")
    }

    /// Whether a password is needed to read it.
    pub fn is_encrypted(&self) -> bool {
        self.label == "ENCRYPTED PRIVATE KEY"
            || self.headers.iter().any(|header| header.starts_with("Proc-Type:") && header.ends_with("ENCRYPTED"))
    }
}

/// The blocks of a text.
pub fn blocks(text: &[u8]) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), None::<Open>);
    for line in String::from_utf8_lossy(text).lines() {
        let line = line.trim_end();
        if let Some(label) = edge(line, "-----BEGIN ") {
            open = Some(Open { label: label.to_owned(), headers: Vec::new(), base64: String::new() });
        } else if let Some(label) = edge(line, "-----END ") {
            blocks.extend(open.take().filter(|open| open.label == label).and_then(Open::close));
        } else if let Some(open) = &mut open {
            open.take_in(line);
        }
    }
    blocks
}

fn edge<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

/// A block whose end has not come yet.
struct Open {
    label: String,
    headers: Vec<String>,
    base64: String,
}

impl Open {
    fn take_in(&mut self, line: &str) {
        if line.contains(':') && self.base64.is_empty() {
            self.headers.push(line.to_owned());
        } else {
            self.base64.extend(line.split_whitespace());
        }
    }

    fn close(self) -> Option<Block> {
        let der = BASE64.decode(self.base64).ok()?;
        Some(Block { label: self.label, headers: self.headers, der })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        blocks(text.as_bytes()).into_iter().map(|block| block.label).collect()
    }

    #[test]
    fn text_and_broken_blocks_are_skipped() {
        let text = "subject=CN = somebody\n-----BEGIN A-----\r\nAQID\r\n-----END A-----\r\n\
            -----BEGIN B-----\nno base64!\n-----END B-----\n-----BEGIN C-----\nAQ==\n-----BEGIN D-----\n AQ ID \nBA==\n\
            -----END D-----\n-----BEGIN E-----\nAQ==\n-----END F-----\n -----BEGIN G-----\nAQ==\n-----END G-----";
        assert_eq!(labels(text), ["A", "D"]);
        assert_eq!(blocks(text.as_bytes())[1].der, [1, 2, 3, 4]);
        assert!(blocks(&[0xff, 0x30, 0x82]).is_empty());
    }

    #[test]
    fn a_key_says_whether_it_is_encrypted() {
        let key = |text: &str| blocks(text.as_bytes()).pop().unwrap();
        let old = key(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAQID\n-----END RSA PRIVATE KEY-----\n",
        );
        assert!(old.is_private_key() && old.is_encrypted());
        assert_eq!(old.der, [1, 2, 3]);
        let new = key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n");
        assert!(new.is_private_key() && new.is_encrypted());
        let plain = key("-----BEGIN EC PRIVATE KEY-----\nAQID\n-----END EC PRIVATE KEY-----\n");
        assert!(plain.is_private_key() && !plain.is_encrypted());
        assert!(!key("-----BEGIN EC PARAMETERS-----\nAQID\n-----END EC PARAMETERS-----\n").is_private_key());
    }
}
