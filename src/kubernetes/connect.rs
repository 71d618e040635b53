//! The way to the server: through a proxy or not, over TLS or not.

use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use http::header::USER_AGENT;
use http::{HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::{Builder, connect::Connect};
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::{Body, DynBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt};

use super::credentials::header::basic;
use super::target::{Impersonation, Proxy, Target};
use super::tls::{self, Identity, TlsError};
use crate::program;

/// Why no connection can be made to a target, though nothing was asked yet.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A certificate or a key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Something to be sent in a header. Its value is not said.
    #[error("a name or a group to impersonate has characters that cannot be sent")]
    Header,
}

/// An answer as kube's client takes it.
pub type Answer = Response<Box<DynBody>>;

type Pool = BoxCloneSyncService<Request<Body>, Answer, BoxError>;

/// What sends requests, on connections that are kept for the next ones.
#[derive(Clone)]
pub struct Connections {
    make: Arc<dyn Fn() -> Pool + Send + Sync>,
    pool: Arc<RwLock<Pool>>,
}

impl Connections {
    /// Connections to a server, made when requests are sent. They show the server what the identity holds by then.
    ///
    /// # Errors
    /// If the trust or the server's name is none.
    pub fn new(target: &Target, identity: &Identity) -> Result<Self, Unusable> {
        let through_tls =
            target.is_https() || target.proxy.as_ref().is_some_and(|proxy| proxy.uri.scheme_str() == Some("https"));
        let tls = if through_tls { Some(Tls::new(target, identity)?) } else { None };
        let make = maker(target.proxy.as_ref(), tls);
        let pool = Arc::new(RwLock::new(make()));
        Ok(Self { make, pool })
    }

    /// Makes the connections again, for the requests that come now: a connection keeps what was shown on it.
    pub fn renew(&self) {
        *self.pool.write().unwrap_or_else(PoisonError::into_inner) = (self.make)();
    }
}

impl Service<Request<Body>> for Connections {
    type Response = Answer;
    type Error = BoxError;
    type Future = <Pool as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // A pool makes as many connections as it needs.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let pool = self.pool.read().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(pool.oneshot(request))
    }
}

/// TLS, laid over whatever carries it.
#[derive(Clone)]
struct Tls {
    config: ClientConfig,
    name: Option<ServerName<'static>>,
}

impl Tls {
    fn new(target: &Target, identity: &Identity) -> Result<Self, Unusable> {
        let config = tls::client_config(&target.trust, identity)?;
        Ok(Self { config, name: target.server_name.clone() })
    }

    fn over<C>(&self, connector: C) -> HttpsConnector<C> {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.config.clone()).https_or_http();
        let builder = match self.name.clone() {
            Some(name) => builder.with_server_name_resolver(move |_: &Uri| Ok::<_, BoxError>(name.clone())),
            None => builder,
        };
        builder.enable_http1().wrap_connector(connector)
    }
}

fn maker(proxy: Option<&Proxy>, tls: Option<Tls>) -> Arc<dyn Fn() -> Pool + Send + Sync> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let Some(proxy) = proxy else { return with_tls(tcp, tls) };
    let (uri, user) = (proxy.uri.clone(), proxy.user.clone());
    match (uri.scheme_str(), &tls) {
        (Some("https"), Some(layer)) => with_tls(tunnel(uri, layer.over(tcp), user), tls),
        (Some("http"), _) => with_tls(tunnel(uri, tcp, user), tls),
        _ => {
            let socks = SocksV5::new(uri, tcp);
            with_tls(
                match user {
                    Some((name, password)) => socks.with_auth(name, password),
                    None => socks,
                },
                tls,
            )
        }
    }
}

fn tunnel<C>(proxy: Uri, connector: C, user: Option<(String, String)>) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy, connector);
    let header = user.and_then(|(name, password)| basic(&name, &password).ok());
    match header {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}

fn with_tls<C>(connector: C, tls: Option<Tls>) -> Arc<dyn Fn() -> Pool + Send + Sync>
where
    C: Connect + Clone + Send + Sync + 'static,
    HttpsConnector<C>: Connect,
{
    Arc::new(move || match &tls {
        Some(tls) => pool(tls.over(connector.clone())),
        None => pool(connector.clone()),
    })
}

fn pool<C: Connect + Clone + Send + Sync + 'static>(connector: C) -> Pool {
    let client = Builder::new(TokioExecutor::new()).build::<_, Body>(connector);
    let answer = |answer: Response<hyper::body::Incoming>| {
        answer.map(|body| Box::new(body.map_err(BoxError::from)) as Box<DynBody>)
    };
    BoxCloneSyncService::new(client.map_response(answer).map_err(BoxError::from))
}

/// Asks a server that is no cluster what it says of its address. Gives status and headers.
///
/// # Errors
/// If there is no connection to it, in words.
pub async fn head(target: &Target) -> Result<Response<()>, BoxError> {
    let connections = Connections::new(target, &Identity::default())?;
    let request = Request::head(&target.server).header(USER_AGENT, program::NAME).body(Body::empty())?;
    Ok(connections.oneshot(request).await?.map(drop))
}

/// What gives each request the server's address, and says whose it is to be.
///
/// # Errors
/// If something of it fits no header.
pub fn configuration(server: Uri, impersonation: &Impersonation) -> Result<Config, Unusable> {
    let Impersonation { user, uid, groups, extra } = impersonation;
    let mut config = Config::new(server);
    if user.is_empty() {
        return Ok(config);
    }
    let mut say = |name: &str, value: &str| -> Result<(), Unusable> {
        let name = HeaderName::try_from(name).map_err(|_| Unusable::Header)?;
        // Names beyond ASCII are sent as they are.
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| Unusable::Header)?;
        config.headers.push((name, value));
        Ok(())
    };
    say("impersonate-user", user)?;
    if !uid.is_empty() {
        say("impersonate-uid", uid)?;
    }
    for group in groups {
        say("impersonate-group", group)?;
    }
    for (key, values) in extra {
        let name = format!("impersonate-extra-{}", utf8_percent_encode(key, OF_NAMES));
        for value in values {
            say(&name, value)?;
        }
    }
    Ok(config)
}

/// The characters that may stand in a header's name, but for the one that escapes others.
const OF_NAMES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');
