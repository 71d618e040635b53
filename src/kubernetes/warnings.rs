//! What the server warns of, beside its answers.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::header::WARNING;
use http::{HeaderMap, Request};
use kube::client::Body;
use tower::{BoxError, Layer, Service};

use super::connect::Answer;

/// Shows a warning.
pub type Show = Arc<dyn Fn(&str) + Send + Sync>;

/// Hands each warning on once, however often the server repeats it.
#[derive(Clone)]
pub struct Warnings {
    seen: Arc<Mutex<HashSet<String>>>,
    show: Show,
}

impl Warnings {
    /// None so far.
    #[must_use]
    pub fn new(show: Show) -> Self {
        Self { seen: Arc::default(), show }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self, headers: &HeaderMap) {
        for text in headers.get_all(WARNING).iter().filter_map(|value| text(&String::from_utf8_lossy(value.as_bytes())))
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.insert(text.clone()) {
                drop(seen);
                (self.show)(&text);
            }
        }
    }
}

/// The words of a warning of the API server: `299 - "words"`, with quotes and backslashes escaped (RFC 7234, 5.5). Others
/// are of caches and proxies.
fn text(value: &str) -> Option<String> {
    let (_agent, quoted) = value.strip_prefix("299 ")?.split_once(' ')?;
    let mut text = String::new();
    let mut characters = quoted.strip_prefix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Some(text).filter(|text| !text.is_empty()),
            '\\' => text.extend(characters.next()),
            plain => text.push(plain),
        }
    }
    None
}

impl<S> Layer<S> for Warnings {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Watched { inner, warnings: self.clone() }
    }
}

/// A service whose answers are looked through for warnings.
#[derive(Clone)]
pub struct Watched<S> {
    inner: S,
    warnings: Warnings,
}

impl<S> Service<Request<Body>> for Watched<S>
where
    S: Service<Request<Body>, Response = Answer, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Answer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (warnings, answer) = (self.warnings.clone(), self.inner.call(request));
        Box::pin(async move {
            let answer = answer.await?;
            warnings.take(answer.headers());
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_shown_once_and_in_its_own_words() {
        let shown: Arc<Mutex<Vec<String>>> = Arc::default();
        let warnings = Warnings::new({
            let shown = Arc::clone(&shown);
            Arc::new(move |text| shown.lock().unwrap().push(text.to_owned()))
        });
        let mut headers = HeaderMap::new();
        for value in
            [r#"299 - "v1 \"Old\" is \\ old""#, r#"299 - "v1 \"Old\" is \\ old""#, r#"110 cache "stale""#, "299 -"]
        {
            headers.append(WARNING, value.parse().unwrap());
        }
        warnings.take(&headers);
        warnings.take(&headers);
        assert_eq!(*shown.lock().unwrap(), [r#"v1 "Old" is \ old"#]);
        assert_eq!(warnings.count(), 1);
    }
}
