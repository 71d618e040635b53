//! Sends with each request what proves who one is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use jiff::Timestamp;
use kube::client::Body;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tower::{BoxError, Layer, Service, ServiceExt};

use super::header::{basic, bearer};
use super::token_file::TokenFile;
use super::{Credentials, CredentialsError, Plugin, Secret};
use crate::kubernetes::connect::{Answer, Connections};
use crate::kubernetes::tls::{ClientCertificate, Identity, Pem};
use crate::kubernetes::transport::repetition;

/// After how long it is said that a plugin is being waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How whoever runs this program is asked, and told.
#[derive(Clone)]
pub struct Ask {
    /// Whether nothing but a plugin reads stdin now.
    pub stdin_is_free: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Says that a plugin, of this name, is being waited for.
    pub waiting: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Gets what proves who one is when the first request comes, and again when it is no longer good.
///
/// It lies above what bounds a request's time: logging in may take longer.
#[derive(Clone)]
pub struct CredentialsLayer {
    shared: Arc<Shared>,
}

struct Shared {
    credentials: Credentials,
    identity: Identity,
    connections: Connections,
    ask: Ask,
    /// One request gets it for all.
    held: Mutex<Held>,
    /// How often a plugin has run to its end. Who has waited for `held` sees by it that another has run the plugin meanwhile.
    runs: AtomicU64,
}

#[derive(Default)]
struct Held {
    file: TokenFile,
    /// What a plugin has got, or why it got nothing; none before its first run.
    issued: Option<Result<Issued, CredentialsError>>,
}

struct Issued {
    header: Option<HeaderValue>,
    certificate: Option<(Secret, Secret)>,
    expires: Option<Timestamp>,
}

impl CredentialsLayer {
    /// Nothing is read or run yet.
    #[must_use]
    pub fn new(credentials: Credentials, identity: Identity, connections: Connections, ask: Ask) -> Self {
        Self {
            shared: Arc::new(Shared {
                credentials,
                identity,
                connections,
                ask,
                held: Mutex::default(),
                runs: AtomicU64::default(),
            }),
        }
    }
}

impl Shared {
    /// The header to send, and how often a plugin had run by then.
    async fn header(&self) -> Result<(Option<HeaderValue>, u64), CredentialsError> {
        Ok(match &self.credentials {
            Credentials::None => (None, 0),
            Credentials::Token(token) => (Some(bearer(token)?), 0),
            Credentials::Basic { username, password } => (Some(basic(username, password.expose())?), 0),
            Credentials::TokenFile { path, fallback, of } => {
                let read = self.held.lock().await.file.token(path, fallback.as_ref(), Instant::now());
                let token = read.map_err(|why| CredentialsError::new(format!("{why}, the {of}")))?;
                (Some(bearer(&token)?), 0)
            }
            Credentials::Plugin(plugin) => {
                let seen = self.runs();
                let mut held = self.held.lock().await;
                let is_good = |issued: &Issued| issued.expires.is_none_or(|end| Timestamp::now() < end);
                let has_good = matches!(&held.issued, Some(Ok(issued)) if is_good(issued));
                // What failed while this request waited fails it too: nobody is asked to log in once for each request.
                if !has_good && self.runs() == seen {
                    self.run(plugin, &mut held).await;
                }
                let issued = held.issued.as_ref().map(Result::as_ref).transpose().map_err(Clone::clone)?;
                (issued.and_then(|issued| issued.header.clone()), self.runs())
            }
        })
    }

    /// After the server has refused what was sent: whether there is something else to send now. That the plugin has been
    /// run for it by another request meanwhile is seen by how often it had run.
    async fn is_renewed(&self, runs: u64) -> Result<bool, CredentialsError> {
        let Credentials::Plugin(plugin) = &self.credentials else { return Ok(false) };
        let mut held = self.held.lock().await;
        if self.runs() == runs {
            self.run(plugin, &mut held).await;
        }
        match &held.issued {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(true),
        }
    }

    fn runs(&self) -> u64 {
        self.runs.load(Ordering::Acquire)
    }

    async fn run(&self, plugin: &Plugin, held: &mut Held) {
        let issued = self.issue(plugin, held).await;
        held.issued = Some(issued);
        self.runs.fetch_add(1, Ordering::AcqRel);
    }

    async fn issue(&self, plugin: &Plugin, held: &Held) -> Result<Issued, CredentialsError> {
        let mut running = Box::pin(plugin.run((self.ask.stdin_is_free)()));
        let answer = if let Ok(answer) = timeout(PATIENCE, &mut running).await {
            answer
        } else {
            (self.ask.waiting)(&plugin.command);
            running.await
        }?;
        let header = answer.token.as_ref().map(bearer).transpose()?;
        match &answer.certificate {
            Some((certificate, key)) => {
                let pem = |text: &Secret, what: &str| {
                    let origin = format!("{what} of the credential plugin {:?} of {}", plugin.command, plugin.of);
                    Pem { bytes: text.expose().as_bytes().to_vec(), origin }
                };
                let shown = ClientCertificate { certificate: pem(certificate, "certificate"), key: pem(key, "key") };
                self.identity.show(&shown).map_err(|error| CredentialsError::new(error.to_string()))?;
            }
            None => self.identity.hide(),
        }
        let certificate = answer.certificate;
        if matches!(&held.issued, Some(Ok(before)) if before.certificate != certificate) {
            self.connections.renew();
        }
        Ok(Issued { header, certificate, expires: answer.expires })
    }
}

impl<S> Layer<S> for CredentialsLayer {
    type Service = Signed<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Signed { inner, shared: Arc::clone(&self.shared) }
    }
}

/// A service whose requests prove who one is.
#[derive(Clone)]
pub struct Signed<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Service<Request<Body>> for Signed<S>
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
        let (inner, shared) = (self.inner.clone(), Arc::clone(&self.shared));
        Box::pin(async move {
            let again = repetition(&request);
            let (header, runs) = shared.header().await?;
            let answer = inner.clone().oneshot(signed(request, header)).await?;
            if answer.status() != StatusCode::UNAUTHORIZED || !shared.is_renewed(runs).await? {
                return Ok(answer);
            }
            let Some(again) = again else { return Ok(answer) };
            let (header, _) = shared.header().await?;
            inner.oneshot(signed(again, header)).await
        })
    }
}

fn signed(mut request: Request<Body>, header: Option<HeaderValue>) -> Request<Body> {
    if let Some(header) = header {
        request.headers_mut().entry(AUTHORIZATION).or_insert(header);
    }
    request
}
