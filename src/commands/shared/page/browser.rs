//! The user's browser.

use std::env;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;

/// By which people choose a browser, and editors on another machine's screen bring their own.
const CHOICE: &str = "BROWSER";

/// What says that there is a desktop, or a browser for where there is none.
const DESKTOPS: [&str; 4] = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", CHOICE];

/// Whether a browser can show itself here. Without a desktop it could take the terminal, and with it the key that ends
/// this program.
pub fn has_room() -> bool {
    cfg!(not(target_os = "linux")) || DESKTOPS.iter().any(|name| env::var_os(name).is_some())
}

/// Starts the chosen browser, or else the desktop's.
///
/// # Errors
/// If none can be started.
pub fn start(address: &str) -> io::Result<()> {
    match env::var(CHOICE).ok().filter(|choice| !choice.trim().is_empty()) {
        Some(choice) => first_of(&choice, address),
        None => ::open::that_detached(address),
    }
}

/// Starts the first that can be started of browsers with colons between them.
fn first_of(choice: &str, address: &str) -> io::Result<()> {
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, format!("{CHOICE} names none"));
    for browser in choice.split(':') {
        let words = words(browser, address);
        let Some((program, arguments)) = words.split_first() else { continue };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C is for this program.
        match command.process_group(0).spawn() {
            Ok(mut browser) => {
                thread::spawn(move || browser.wait());
                return Ok(());
            }
            Err(error) => failure = io::Error::new(error.kind(), format!("{program}: {error}")),
        }
    }
    Err(failure)
}

/// A browser's command for an address: it stands where `%s` does, or at the end.
fn words(browser: &str, address: &str) -> Vec<String> {
    let mut words = shlex::split(browser).unwrap_or_default();
    if !words.is_empty() && !browser.contains("%s") {
        words.push("%s".to_owned());
    }
    words.iter().map(|word| word.replace("%s", address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_where_the_choice_has_it() {
        assert_eq!(words("firefox", "http://a/"), ["firefox", "http://a/"]);
        assert_eq!(words("'my browser' --new '%s' -x", "http://a/"), ["my browser", "--new", "http://a/", "-x"]);
        assert_eq!(words("", "http://a/"), [""; 0]);
    }

    #[test]
    fn the_first_that_can_be_started_is() {
        first_of("/nowhere/a:true", "http://a/").unwrap();
        let error = first_of("/nowhere/a:/nowhere/b", "http://a/").unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/b: "), "{error}");
        assert!(first_of(":", "http://a/").unwrap_err().to_string().contains("BROWSER"));
    }
}
