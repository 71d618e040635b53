//! The one place that ends requests that take too long, and that tries again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::{CONNECTION, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use kube::client::{Body, DynBody};
use tokio::time::{Instant, sleep, timeout_at};
use tower::{BoxError, Layer, Service, ServiceExt};
use tracing::{debug, info};

/// How often a request is sent at most when the server answers that it cannot now.
const ATTEMPTS: u32 = 6;

/// In the path of a request that another server answers, behind the API server: its refusals are answers.
const BEHIND: &str = "/proxy/";

/// The end of the path of a request whose refusal is an answer too: a budget that keeps the pod says 429, and to try again later.
const EVICTION: &str = "/eviction";

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The server did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct TimedOut(Duration);

/// Bounds each request, its repetitions included, by one timeout.
///
/// Of a request that streams (a watch, an upgrade), only the time to the response's headers is bounded.
#[derive(Clone, Debug)]
pub struct TransportLayer {
    timeout: Duration,
    reached: Arc<AtomicBool>,
}

impl TransportLayer {
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, reached: Arc::default() }
    }
}

impl<S> Layer<S> for TransportLayer {
    type Service = Transport<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Transport { inner, layer: self.clone() }
    }
}

#[derive(Clone, Debug)]
pub struct Transport<S> {
    inner: S,
    layer: TransportLayer,
}

type Answer = Response<Box<DynBody>>;

impl<S> Service<Request<Body>> for Transport<S>
where
    S: Service<Request<Body>, Response = Answer, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Answer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { inner, layer } = self.clone();
        Box::pin(async move { layer.send(inner, request).await })
    }
}

impl TransportLayer {
    async fn send<S>(&self, inner: S, mut request: Request<Body>) -> Result<Answer, BoxError>
    where
        S: Service<Request<Body>, Response = Answer, Error = BoxError> + Clone,
    {
        let deadline = Instant::now() + self.timeout;
        let (mut pause, mut attempt) = (FIRST_PAUSE, 0);
        loop {
            attempt += 1;
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let harmless = is_idempotent(&method) && !is_upgrade(&request);
            let is_final = path.contains(BEHIND) || path.ends_with(EVICTION);
            let again = repetition(&request).filter(|_| !is_final);
            let sent = Instant::now();
            let result = timeout_at(deadline, exchange(inner.clone(), request)).await;
            let result = result.unwrap_or_else(|_| Err(TimedOut(self.timeout).into()));
            log(&method, &path, &result, sent.elapsed());
            let reached = self.reached.fetch_or(result.is_ok(), Ordering::Relaxed);
            let wait = match (&result, again.is_some()) {
                (Ok(answer), true) if attempt < ATTEMPTS => {
                    worth_repeating(harmless, answer).map(|asked| asked.max(pause))
                }
                // A server that was there is starting again. One that never was is a mistake to tell at once.
                (Err(error), true) if reached && not_sent_or_harmless(harmless, error) => Some(pause),
                _ => None,
            };
            match (wait, again) {
                (Some(wait), Some(again)) if Instant::now() + wait < deadline => {
                    debug!("retrying in {wait:?}");
                    sleep(wait).await;
                    request = again;
                }
                _ => return result,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// One request and its answer, whole unless it streams.
async fn exchange<S>(inner: S, request: Request<Body>) -> Result<Answer, BoxError>
where
    S: Service<Request<Body>, Response = Answer, Error = BoxError>,
{
    let streams = is_upgrade(&request)
        || request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
    let answer = inner.oneshot(request).await?;
    if streams && !answer.status().is_client_error() && !answer.status().is_server_error() {
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    let whole = Full::new(body.collect().await?.to_bytes()).map_err(|never| match never {});
    Ok(Response::from_parts(head, Box::new(whole)))
}

/// Whether it starts a program in a container, or another conversation: its failure is an answer, and sent twice it may
/// start two.
fn is_upgrade(request: &Request<Body>) -> bool {
    request.headers().contains_key(CONNECTION)
}

/// The same request once more, if its body can be.
pub(super) fn repetition(request: &Request<Body>) -> Option<Request<Body>> {
    let mut again = Request::new(request.body().try_clone()?);
    again.method_mut().clone_from(request.method());
    again.uri_mut().clone_from(request.uri());
    again.headers_mut().clone_from(request.headers());
    again.extensions_mut().clone_from(request.extensions());
    Some(again)
}

/// Sent twice, these change nothing more than sent once. This program's patches all say what shall be, not what to add.
fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::PATCH)
}

/// How long the server asks to wait, if the request is worth sending again.
fn worth_repeating(harmless: bool, answer: &Answer) -> Option<Duration> {
    let refused = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let failed = answer.status().is_server_error() && harmless;
    let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    (refused || failed).then(|| Duration::from_secs(asked.unwrap_or(0)))
}

fn not_sent_or_harmless(harmless: bool, error: &BoxError) -> bool {
    let not_sent = error
        .downcast_ref::<hyper_util::client::legacy::Error>()
        .is_some_and(hyper_util::client::legacy::Error::is_connect);
    !error.is::<TimedOut>() && (not_sent || harmless)
}

/// Never the query or a body: they may hold secrets.
fn log(method: &Method, path: &str, result: &Result<Answer, BoxError>, took: Duration) {
    let took = took.as_millis();
    match result {
        Ok(answer) => info!("{method} {path} {} in {took} ms", answer.status().as_u16()),
        Err(error) => info!("{method} {path} failed in {took} ms: {error}"),
    }
}
