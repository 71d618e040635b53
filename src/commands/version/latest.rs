//! The newest release, as the repository has it. Asked for only when somebody wants to know.

use std::time::Duration;

use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode, Uri};
use tokio::time::timeout;

use crate::error::Error;
use crate::kubeconfig;
use crate::kubernetes::head;
use crate::text::{Command, Hint};

/// The releases of the repository. GitHub leads from here to the newest one.
const LATEST: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/releases/latest");

/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// The tag of the newest release: `v0.1.0`.
///
/// # Errors
/// If the repository does not say.
pub async fn release() -> Result<String, Error> {
    let failed = |why: &str| {
        Error::new(
            format!("could not ask for the latest version: {why}"),
            format!("see the releases in a browser: {LATEST}"),
        )
    };
    let target = kubeconfig::elsewhere(Uri::from_static(LATEST)).map_err(|why| failed(&why))?;
    match timeout(PATIENCE, head(&target)).await {
        Ok(Ok(answer)) => tag(&answer).map_err(|why| failed(&why)),
        Ok(Err(why)) => Err(failed(&format!("{:#}", anyhow::Error::from_boxed(why)))),
        Err(_) => Err(failed(&format!("no answer within {PATIENCE:?}"))),
    }
}

/// The tag in the address that the answer leads to.
fn tag(answer: &Response<()>) -> Result<String, String> {
    let location = answer.headers().get(LOCATION).map(HeaderValue::to_str);
    let location = location.and_then(Result::ok).filter(|_| answer.status().is_redirection());
    if answer.status() == StatusCode::NOT_FOUND || location.is_some_and(|location| location.ends_with("/releases")) {
        return Err("there is no release yet".to_owned());
    }
    let tag = location.and_then(|location| location.rsplit_once("/releases/tag/")).map(|(_, tag)| tag);
    match tag {
        Some(tag) if numbers(tag).is_some() => Ok(tag.to_owned()),
        _ => Err(format!("the answer is {}, and leads to no release", answer.status())),
    }
}

/// What somebody does who wants the newest release.
pub fn how_to_get_it() -> Hint {
    let upgrade = Command::new(["kubectl", "krew", "upgrade", "kubecoin"]);
    upgrade.to("install the latest version").and(format!("its archives: {LATEST}"))
}

/// Whether a version comes after another one.
pub fn is_newer(version: &str, than: &str) -> bool {
    numbers(version) > numbers(than)
}

/// The three numbers of `v1.2.3`.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = version.strip_prefix('v')?.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_newer_by_its_numbers() {
        assert!(is_newer("v0.10.0", "v0.9.1") && is_newer("v1.0.0", "v0.9.9") && is_newer("v0.1.1", "v0.1.0"));
        assert!(!is_newer("v0.1.0", "v0.1.0") && !is_newer("v0.1.0", "v0.2.0"));
        assert_eq!((numbers("0.1.0"), numbers("v1.2"), numbers("v1.2.3-rc.1")), (None, None, None));
    }

    #[test]
    fn the_tag_is_at_the_end_of_where_the_answer_leads() {
        let answer = |status: u16, location: &str| {
            tag(&Response::builder().status(status).header(LOCATION, location).body(()).unwrap())
        };
        assert_eq!(answer(302, "https://x.example/a/b/releases/tag/v0.2.0"), Ok("v0.2.0".to_owned()));
        for (status, location) in [(404, ""), (302, "https://x.example/a/b/releases")] {
            assert_eq!(answer(status, location), Err("there is no release yet".to_owned()));
        }
        for (status, location) in [
            (302, "https://x.example/login"),
            (200, "https://x.example/releases/tag/v1.0.0"),
            (302, "/releases/tag/latest"),
        ] {
            assert!(answer(status, location).unwrap_err().contains("leads to no release"));
        }
    }
}
