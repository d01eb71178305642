//! HTTP for the S3 client, through the operator's network policy.
//!
//! The client's own HTTP stack is left out of the build. Each connection is made by [`Dialer`]: the host of the endpoint is
//! resolved once, its addresses are held against the operator's networks, and the connection goes to that very address.
//! There are no redirects: an answer that points elsewhere is an answer like any other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use http::header::{HOST, HeaderValue};
use http_body_util::BodyExt;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls_pki_types::ServerName;
use selvedge_net::{DialError, Dialer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

/// Longest time between a request and the head of its answer: one part of an upload over a slow line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Makes the clients of one store.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) dialer: Dialer,
    pub(crate) tls: Arc<ClientConfig>,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(GuardedHttp {
            connector: self.clone(),
            connections: Mutex::default(),
        }))
    }
}

/// One store's HTTP connections.
#[derive(Debug)]
struct GuardedHttp {
    connector: Connector,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    /// Connections that wait for the next request, by scheme, host and port.
    idle: Vec<(String, SendRequest<HttpRequestBody>)>,
    /// What drives each connection; ends with it, or with the store.
    driving: JoinSet<()>,
}

/// Why a request came to nothing before there was an answer.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error("the address of the endpoint has no host")]
    NoHost,
    #[error("the host name {0} cannot be on a certificate")]
    ServerName(String),
    #[error("the TLS connection to {host} could not be established")]
    Tls {
        host: String,
        source: std::io::Error,
    },
    #[error("the server did not answer in time")]
    TimedOut,
}

#[async_trait]
impl HttpService for GuardedHttp {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let origin = Origin::of(request.uri())?;
        let (mut parts, body) = request.into_parts();
        if !parts.headers.contains_key(HOST) {
            let host = HeaderValue::from_str(&origin.authority)
                .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            parts.headers.insert(HOST, host);
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = path
            .parse()
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let exchange = async {
            let mut connection = match self.idle(&origin).await {
                Some(connection) => connection,
                None => self.connect(&origin).await?,
            };
            let answer = connection
                .send_request(HttpRequest::from_parts(parts, body))
                .await
                .map_err(broken)?;
            self.connections()
                .idle
                .push((origin.to_string(), connection));
            Ok::<_, HttpError>(answer)
        };
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, exchange)
            .await
            .map_err(|_| HttpError::new(HttpErrorKind::Timeout, RequestError::TimedOut))??;
        let (parts, body) = answer.into_parts();
        let body = HttpResponseBody::new(body.map_err(broken));
        Ok(HttpResponse::from_parts(parts, body))
    }
}

impl GuardedHttp {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that has answered everything it was asked, and is still there.
    async fn idle(&self, origin: &Origin) -> Option<SendRequest<HttpRequestBody>> {
        loop {
            let mut connection = {
                let mut connections = self.connections();
                let wanted = origin.to_string();
                let position = connections.idle.iter().position(|(to, _)| *to == wanted)?;
                connections.idle.swap_remove(position).1
            };
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    async fn connect(&self, origin: &Origin) -> Result<SendRequest<HttpRequestBody>, HttpError> {
        let dialled = self
            .connector
            .dialer
            .connect(&origin.host, origin.port)
            .await;
        let stream = dialled.map_err(|error| {
            let kind = match error {
                // Asking again changes nothing.
                DialError::Forbidden { .. } => HttpErrorKind::Unknown,
                _ => HttpErrorKind::Connect,
            };
            HttpError::new(kind, error)
        })?;
        if !origin.tls {
            return self.over(stream).await;
        }
        let unknown = |error| HttpError::new(HttpErrorKind::Unknown, error);
        let name = ServerName::try_from(origin.host.clone())
            .map_err(|_| unknown(RequestError::ServerName(origin.host.clone())))?;
        let secured = TlsConnector::from(Arc::clone(&self.connector.tls))
            .connect(name, stream)
            .await
            .map_err(|source| {
                unknown(RequestError::Tls {
                    host: origin.host.clone(),
                    source,
                })
            })?;
        self.over(secured).await
    }

    async fn over<S>(&self, stream: S) -> Result<SendRequest<HttpRequestBody>, HttpError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let mut connections = self.connections();
        while connections.driving.try_join_next().is_some() {}
        connections.driving.spawn(async move {
            // Its error is that of the request under way, which tells it.
            drop(connection.await);
        });
        Ok(sender)
    }
}

fn broken(error: hyper::Error) -> HttpError {
    let kind = match error.is_timeout() {
        true => HttpErrorKind::Timeout,
        false => HttpErrorKind::Interrupted,
    };
    HttpError::new(kind, error)
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    tls: bool,
    /// An IPv6 address without its brackets.
    host: String,
    port: u16,
    authority: String,
}

impl Origin {
    fn of(uri: &Uri) -> Result<Self, HttpError> {
        let no_host = || HttpError::new(HttpErrorKind::Unknown, RequestError::NoHost);
        let authority = uri.authority().ok_or_else(no_host)?;
        let tls = uri.scheme_str() != Some("http");
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
        })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (uri, host, port, tls) in [
            (
                "https://s3.eu-west-1.amazonaws.com/b/k",
                "s3.eu-west-1.amazonaws.com",
                443,
                true,
            ),
            ("http://127.0.0.1:9000/b", "127.0.0.1", 9000, false),
            ("http://[::1]/b", "::1", 80, false),
        ] {
            let origin = Origin::of(&uri.parse().unwrap()).unwrap();
            assert_eq!(
                (origin.host.as_str(), origin.port, origin.tls),
                (host, port, tls)
            );
        }
        assert!(Origin::of(&"/b".parse().unwrap()).is_err());
    }
}
