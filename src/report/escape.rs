//! Text from the cluster, made harmless for the form that it is shown in.

use std::fmt::{self, Write};

use askama::filters::{Escaper, Html};

use crate::text::clean;

/// For HTML.
#[derive(Clone, Copy, Debug)]
pub struct Page;

impl Escaper for Page {
    fn write_escaped_str<W: Write>(&self, dest: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(dest, &clean(text))
    }
}

/// For a line of Markdown, cells of tables included.
#[derive(Clone, Copy, Debug)]
pub struct Markdown;

impl Escaper for Markdown {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        for character in clean(text).chars() {
            match character {
                // By name: there are readers of Markdown that let HTML through wherever it stands.
                '<' => dest.write_str("&lt;")?,
                '>' => dest.write_str("&gt;")?,
                '&' => dest.write_str("&amp;")?,
                '\n' | '\t' => dest.write_char(' ')?,
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                    dest.write_char('\\')?;
                    dest.write_char(character)?;
                }
                _ => dest.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Commands as a block of Markdown. Indented, it has no end that a text could forge.
pub fn code(commands: &[String]) -> String {
    let commands = commands.join("\n\n");
    clean(&commands).lines().flat_map(|line| ["    ", line, "\n"]).collect()
}
