//! Which servers this program is made for.

use std::ops::RangeInclusive;

use k8s_openapi::apimachinery::pkg::version::Info;

/// The minor versions of Kubernetes 1 that this program is made for: below, `ReadWriteOncePod` or sleeping hooks are missing;
/// the last one is the newest that the tests have run on. The README says the same.
const MINORS: RangeInclusive<u32> = 30..=37;

/// Whether this program is made for a server.
///
/// # Errors
/// In words, if it is made for others.
pub fn made_for(version: &Info) -> Result<(), String> {
    let minor = version.minor.trim_end_matches('+').parse::<u32>();
    if version.major == "1" && !minor.is_ok_and(|minor| !MINORS.contains(&minor)) {
        return Ok(());
    }
    Err(format!(
        "the server is {}; this plugin supports Kubernetes 1.{} to 1.{}",
        version.git_version,
        MINORS.start(),
        MINORS.end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_says_for_which_servers_this_program_is_made() {
        let told = format!("made for Kubernetes 1.{} to 1.{}.", MINORS.start(), MINORS.end());
        assert!(include_str!("../../README.md").contains(&told), "{told}");
    }

    #[test]
    fn only_a_server_whose_version_is_known_to_be_another_is_refused() {
        let of = |major: &str, minor: &str| {
            made_for(&Info { major: major.to_owned(), minor: minor.to_owned(), ..Info::default() }).is_ok()
        };
        assert!(of("1", "30") && of("1", "37") && of("1", "34+") && of("1", "a build of mine"));
        assert!(!of("1", "29") && !of("1", "38") && !of("2", "34"));
    }
}
