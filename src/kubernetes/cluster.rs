//! A connection to one cluster, and what may be read there.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use jiff::Timestamp;
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, UserInfo};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::version::Info;
use k8s_openapi::serde::de::DeserializeOwned;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope};
use kube::api::{ApiResource, DynamicObject, ListParams, LogParams, PostParams};
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::core::{PartialObjectMeta, Status};
use kube::{Api, Client, Resource};

use super::by_hand::ByHand;
use super::connect::{self, Connections, Unusable};
use super::credentials::{Ask, CredentialsLayer};
use super::error::{Cause, RequestError};
use super::object::{Object, reference};
use super::place::Place;
use super::target::Target;
use super::tls::Identity;
use super::transport::TransportLayer;
use super::warnings::Warnings;

/// A connection to a cluster, in one namespace.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    identity: Identity,
    /// The address of the proxy on the way to the server.
    proxy: Option<Arc<str>>,
    place: Arc<Place>,
}

/// What a connection is told beside its target.
pub struct Terms {
    /// The flags that lead kubectl to the same server as the same user.
    pub flags: Vec<String>,
    /// Those that this run was given.
    pub given: Vec<String>,
    /// How long a request may take, its repetitions included.
    pub request_timeout: Duration,
    /// What the server warns of.
    pub warnings: Warnings,
    /// How whoever runs this program is asked to log in.
    pub ask: Ask,
}

impl Cluster {
    /// A connection, made when the first request is sent.
    ///
    /// # Errors
    /// If certificates or keys are not ones, or what is to be sent fits no header.
    pub fn new(target: Target, terms: Terms) -> Result<Self, Unusable> {
        let identity = Identity::default();
        if let Some(certificate) = &target.certificate {
            identity.show(certificate)?;
        }
        let connections = Connections::new(&target, &identity)?;
        let config = connect::configuration(target.server.clone(), &target.impersonation)?;
        let proxy = target.proxy.as_ref().map(|proxy| proxy.uri.to_string().trim_end_matches('/').into());
        let place = Arc::new(Place {
            context: target.context,
            namespace: target.namespace.clone(),
            server: target.server.to_string().trim_end_matches('/').to_owned(),
            flags: terms.flags,
            by_hand: ByHand { namespace: Some(target.namespace.clone()), given: terms.given },
        });
        let credentials = CredentialsLayer::new(target.credentials, identity.clone(), connections.clone(), terms.ask);
        let client = ClientBuilder::new(connections, target.namespace)
            .with_layer(&config.extra_headers_layer().map_err(|_| Unusable::Header)?)
            .with_layer(&config.base_uri_layer())
            .with_layer(&terms.warnings)
            .with_layer(&TransportLayer::new(terms.request_timeout))
            .with_layer(&credentials)
            .build();
        Ok(Self { client, identity, proxy, place })
    }

    /// Where requests go.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.place.namespace
    }

    /// The API of a kind: in the namespace, or in the cluster for kinds without one.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = ()>,
        K::Scope: Scoped<K>,
    {
        K::Scope::api(self)
    }

    /// The server's version.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn version(&self) -> Result<Info, RequestError> {
        self.client.apiserver_version().await.map_err(self.failed("get the server's version"))
    }

    /// Who one is, as the server sees it.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn user(&self) -> Result<UserInfo, RequestError> {
        let asked = "ask the server who you are";
        let reviews = self.api::<SelfSubjectReview>();
        let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await;
        let status = review.map_err(self.failed(asked))?.status;
        Ok(status.and_then(|status| status.user_info).unwrap_or_default())
    }

    /// An object by its name, or nothing if it is not there.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn get<K>(&self, name: &str) -> Result<Option<K>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
        K::Scope: Scoped<K>,
    {
        match self.api::<K>().get(name).await.map_err(self.failed(format!("get {}", of_kind::<K>(name)))) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.cause.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An object of any kind as it is now, or nothing if it is not there.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn get_object(&self, object: &Object) -> Result<Option<DynamicObject>, RequestError> {
        let there = object.api(&self.client).get_opt(&object.name).await;
        there.map_err(self.failed(format!("get {}", object.reference())))
    }

    /// The metadata of an object, or nothing if it is not there. Nothing else of it is sent.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn metadata<K>(&self, name: &str) -> Result<Option<PartialObjectMeta<K>>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
        K::Scope: Scoped<K>,
    {
        let there = self.api::<K>().get_metadata_opt(name).await;
        there.map_err(self.failed(format!("get {}", of_kind::<K>(name))))
    }

    /// The objects of a kind that a selector picks. There is no way to list without one: namespaces can be large.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn list<K>(&self, selector: &ListParams) -> Result<Vec<K>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
        K::Scope: Scoped<K>,
    {
        let plural = ApiResource::erase::<K>(&()).plural;
        let listed = self.api::<K>().list(selector).await;
        listed.map(|list| list.items).map_err(self.failed(format!("list {plural}")))
    }

    /// The names of all objects of a kind. Nothing else of them is sent.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn names<K>(&self) -> Result<Vec<String>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
        K::Scope: Scoped<K>,
    {
        self.names_of::<K>(&ListParams::default()).await
    }

    /// The names of the objects of a kind that a selector picks. Nothing else of them is sent.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn names_of<K>(&self, selector: &ListParams) -> Result<Vec<String>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
        K::Scope: Scoped<K>,
    {
        let plural = ApiResource::erase::<K>(&()).plural;
        let listed = self.api::<K>().list_metadata(selector).await;
        let names = listed.map(|list| list.items.into_iter().filter_map(|object| object.metadata.name).collect());
        names.map_err(self.failed(format!("list {plural}")))
    }

    /// The objects of a kind that a selector picks, of all namespaces.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn list_everywhere<K>(&self, selector: &ListParams) -> Result<Vec<K>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let plural = ApiResource::erase::<K>(&()).plural;
        let listed = Api::<K>::all(self.client.clone()).list(selector).await;
        listed.map(|list| list.items).map_err(self.failed(format!("list {plural} of all namespaces")))
    }

    /// The metadata of these. Nothing else of them is sent.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn list_metadata_everywhere<K>(
        &self,
        selector: &ListParams,
    ) -> Result<Vec<PartialObjectMeta<K>>, RequestError>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    {
        let plural = ApiResource::erase::<K>(&()).plural;
        let listed = Api::<K>::all(self.client.clone()).list_metadata(selector).await;
        listed.map(|list| list.items).map_err(self.failed(format!("list {plural} of all namespaces")))
    }

    /// The same connection, in another namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Self {
        let mut place = Place { namespace: namespace.to_owned(), ..Place::clone(&self.place) };
        place.by_hand.namespace = Some(namespace.to_owned());
        Self { place: Arc::new(place), ..self.clone() }
    }

    /// The beginning of what a container has written, at most so many bytes of it.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn log(&self, pod: &str, container: &str, most: u32) -> Result<String, RequestError> {
        let params =
            LogParams { container: Some(container.to_owned()), limit_bytes: Some(most.into()), ..LogParams::default() };
        self.api::<Pod>().logs(pod, &params).await.map_err(self.failed(format!("read the log of pod/{pod}")))
    }

    /// The last lines that a container has written, at most so many bytes of them: of its run before the last restart, or of
    /// the one that is now.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn last_lines(
        &self,
        pod: &str,
        container: &str,
        previous: bool,
        lines: u32,
        most: u32,
    ) -> Result<String, RequestError> {
        let params = LogParams {
            container: Some(container.to_owned()),
            previous,
            tail_lines: Some(lines.into()),
            limit_bytes: Some(most.into()),
            ..LogParams::default()
        };
        self.api::<Pod>().logs(pod, &params).await.map_err(self.failed(format!("read the log of pod/{pod}")))
    }

    /// What answers behind a port of a Service at a path, through the API server: whatever it answers.
    ///
    /// # Errors
    /// If the API server answers in its place.
    pub async fn ask_service(&self, service: &str, port: i32, path: &str) -> Result<HttpAnswer, RequestError> {
        let asked = format!("ask service/{service} for {path}");
        let url = format!("/api/v1/namespaces/{}/services/{service}:{port}/proxy{path}", self.namespace());
        let answer = async {
            let request = Request::get(url).body(Body::empty()).map_err(kube::Error::HttpError)?;
            let (head, body) = self.client.send(request).await?.into_parts();
            let body = body.collect_bytes().await?;
            match serde_json::from_slice::<Status>(&body) {
                Ok(status) if !head.status.is_success() && status.code == head.status.as_u16() => {
                    Err(kube::Error::Api(Box::new(status)))
                }
                _ => Ok(HttpAnswer::new(head.status, &body)),
            }
        };
        answer.await.map_err(self.failed(asked))
    }

    /// The end of what a pod of one container has written.
    ///
    /// # Errors
    /// If the server does not say.
    pub async fn logs(&self, pod: &str) -> Result<String, RequestError> {
        let end = LogParams { tail_lines: Some(20), ..LogParams::default() };
        let logs = self.api::<k8s_openapi::api::core::v1::Pod>().logs(pod, &end).await;
        logs.map_err(self.failed(format!("read the log of pod/{pod}")))
    }

    /// What makes an error of the client one that says what was asked for, and where.
    pub(super) fn failed(&self, asked: impl Into<String>) -> impl FnOnce(kube::Error) -> RequestError {
        let (asked, place) = (asked.into(), Arc::clone(&self.place));
        let (identity, proxy) = (self.identity.clone(), self.proxy.clone());
        move |error| {
            let cause = Cause::from(error).knowing(|| identity.expired(Timestamp::now())).through(proxy.as_deref());
            RequestError { asked, place, cause }
        }
    }

    /// An error that is known otherwise than from an answer of the API.
    pub(super) fn error(&self, asked: impl Into<String>, cause: Cause) -> RequestError {
        RequestError { asked: asked.into(), place: Arc::clone(&self.place), cause }
    }
}

/// What an HTTP server behind the API server has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    pub status: u16,
    /// What it said, as text.
    pub body: String,
}

impl HttpAnswer {
    pub(super) fn new(status: StatusCode, body: &[u8]) -> Self {
        Self { status: status.as_u16(), body: String::from_utf8_lossy(body).into_owned() }
    }
}

fn of_kind<K: Resource<DynamicType = ()>>(name: &str) -> String {
    reference(&ApiResource::erase::<K>(&()), name)
}

/// Where objects of a kind live.
pub trait Scoped<K> {
    /// The API of the kind.
    fn api(cluster: &Cluster) -> Api<K>;
}

impl<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>> Scoped<K> for NamespaceResourceScope {
    fn api(cluster: &Cluster) -> Api<K> {
        Api::namespaced(cluster.client.clone(), cluster.namespace())
    }
}

impl<K: Resource<DynamicType = (), Scope = ClusterResourceScope>> Scoped<K> for ClusterResourceScope {
    fn api(cluster: &Cluster) -> Api<K> {
        Api::all(cluster.client.clone())
    }
}
