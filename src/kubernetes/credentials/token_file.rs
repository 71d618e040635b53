//! A file with a token, which is read again while it is used.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Secret;

/// How long a token is used before its file is read again: client-go's minute, less its leeway of 10 s.
const PERIOD: Duration = Duration::from_secs(50);

/// What was read last.
#[derive(Debug, Default)]
pub struct TokenFile {
    read: Option<(Secret, Instant)>,
}

impl TokenFile {
    /// The token as of now. What was read once serves while the file cannot be read, and before that the fallback.
    ///
    /// # Errors
    /// In words, if there is none of these.
    pub fn token(&mut self, path: &Path, fallback: Option<&Secret>, now: Instant) -> Result<Secret, String> {
        if let Some((token, at)) = &self.read
            && now.saturating_duration_since(*at) < PERIOD
        {
            return Ok(token.clone());
        }
        match read(path) {
            Ok(token) => {
                self.read = Some((token.clone(), now));
                Ok(token)
            }
            Err(why) => {
                let earlier = self.read.as_ref().map(|(token, _)| token).or(fallback);
                earlier.cloned().ok_or(why)
            }
        }
    }
}

fn read(path: &Path) -> Result<Secret, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    match text.trim() {
        "" => Err(format!("there is no token in {}", path.display())),
        token => Ok(Secret::new(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_again_after_a_minute_at_most() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let (mut file, start) = (TokenFile::default(), Instant::now());
        let fallback = Secret::new("fallback");
        let mut at = |seconds, fallback: Option<&Secret>| {
            file.token(&path, fallback, start + Duration::from_secs(seconds)).map(|token| token.expose().to_owned())
        };
        assert!(at(0, None).unwrap_err().contains("token"));
        assert_eq!(at(0, Some(&fallback)).unwrap(), "fallback");
        fs::write(&path, " \n").unwrap();
        assert!(at(0, None).unwrap_err().contains("no token"));
        fs::write(&path, "one\n").unwrap();
        assert_eq!(at(0, Some(&fallback)).unwrap(), "one");
        fs::write(&path, "two\n").unwrap();
        assert_eq!(at(40, None).unwrap(), "one");
        assert_eq!(at(60, None).unwrap(), "two");
        fs::remove_file(&path).unwrap();
        assert_eq!(at(180, Some(&fallback)).unwrap(), "two");
    }
}
