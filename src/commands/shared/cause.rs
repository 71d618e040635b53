//! A cause by the code or the name that somebody types.

use crate::context::Ctx;
use crate::error::Error;
use crate::findings::{self, Cause};
use crate::text::nearest;

/// The cause of a code, or of a name.
///
/// # Errors
/// If there is none, with the one that may be meant.
pub fn named(code: &str, ctx: &Ctx) -> anyhow::Result<&'static Cause> {
    find(code).ok_or_else(|| {
        let meant = similar(code, names()).map(|name| format!(": did you mean {name}?")).unwrap_or_default();
        let hint = ctx.own_command("explain").to("list all codes");
        Error::new(format!("there is no finding {code:?}{meant}"), hint).into()
    })
}

/// The cause of a code, or of a name, if there is one.
pub fn find(code: &str) -> Option<&'static Cause> {
    findings::every().find(|cause| [cause.id, cause.slug].iter().any(|name| name.eq_ignore_ascii_case(code.trim())))
}

/// The codes and names of all causes.
pub fn names() -> impl Iterator<Item = &'static str> {
    findings::every().flat_map(|cause| [cause.id, cause.slug])
}

/// The code or name that somebody who typed this may have meant.
pub fn similar(code: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let near = nearest(code, names).into_iter().next()?;
    let distance = strsim::osa_distance(&code.to_lowercase(), &near.to_lowercase());
    // A code with two other digits is any other code.
    (distance * 3 <= near.len()).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_found_by_its_code_and_by_its_name_in_any_case() {
        for cause in findings::every() {
            for code in [cause.id.to_owned(), cause.id.to_lowercase(), cause.slug.to_owned(), cause.slug.to_uppercase()]
            {
                assert_eq!(find(&code), Some(cause), "{code}");
            }
        }
        assert_eq!(find("KC0"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn only_what_is_nearly_right_is_taken_for_another() {
        assert_eq!(similar("claim-unbund", names()), Some("claim-unbound"));
        assert_eq!(similar("ClaimUnbound", names()), Some("claim-unbound"));
        assert_eq!(similar("KC10", names()), Some("KC010"));
        assert_eq!(similar("KC999", names()), None);
        assert_eq!(similar("something else", names()), None);
        assert_eq!(similar("", names()), None);
    }
}
