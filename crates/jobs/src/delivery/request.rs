//! One request to a receiver: a connection of its own, through the operator's network policy. Redirects are answers like any
//! other, and no answer's body is needed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use selvedge_net::{DialError, Dialer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use url::{Host, Url};

/// Longest time from looking the receiver up to the head of its answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What is read of an answer's body, in bytes and time: enough for a receiver to finish what it says.
const BODY_LIMIT: usize = 64 * 1024;
const BODY_TIME: Duration = Duration::from_secs(1);

/// How receivers know us, whatever the brand.
const AGENT: &str = "StitchLoadingWebhook";

/// Why a receiver was not told.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the message or its hook's secret cannot be read in the store")]
    Unreadable,
    #[error("the hook's address is none that may be called")]
    Address,
    #[error("the receiver could not be reached")]
    Dial(#[from] DialError),
    #[error("the TLS connection could not be established")]
    Tls(#[source] std::io::Error),
    #[error("the exchange with the receiver failed")]
    Http(#[from] hyper::Error),
    #[error("the receiver did not answer within {} seconds", ANSWER_LIMIT.as_secs())]
    TimedOut,
    #[error("the receiver answered with status {0}")]
    Status(StatusCode),
}

/// The way to all receivers.
pub(super) struct Receivers {
    pub(super) dialer: Dialer,
    pub(super) tls: Arc<ClientConfig>,
    /// Whether receivers may be called over plain HTTP.
    pub(super) allow_http: bool,
}

impl Receivers {
    /// Posts a JSON body. It was taken when the answer is of the 200s.
    pub(super) async fn post(
        &self,
        url: &str,
        body: Vec<u8>,
        signature: [(&'static str, String); 3],
    ) -> Result<(), Failure> {
        let url = Url::parse(url).map_err(|_| Failure::Address)?;
        let (Some(host), Some(port)) = (host(&url), url.port_or_known_default()) else {
            return Err(Failure::Address);
        };
        let tls = match url.scheme() {
            "https" => true,
            "http" if self.allow_http => false,
            _ => return Err(Failure::Address),
        };
        let request = request(&url, body, signature)?;
        let exchange = async {
            let stream = self.dialer.connect(&host, port).await?;
            if !tls {
                return exchange(stream, request).await;
            }
            let name = ServerName::try_from(host.clone()).map_err(|_| Failure::Address)?;
            let secured = TlsConnector::from(Arc::clone(&self.tls))
                .connect(name, stream)
                .await
                .map_err(Failure::Tls)?;
            exchange(secured, request).await
        };
        let answered = tokio::time::timeout(ANSWER_LIMIT, exchange).await;
        let answer = answered.map_err(|_| Failure::TimedOut)??;
        let status = answer.status();
        answer.finish().await;
        match status.is_success() {
            true => Ok(()),
            false => Err(Failure::Status(status)),
        }
    }
}

/// The host as it is looked up: an IPv6 address without its brackets.
fn host(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    })
}

fn request(
    url: &Url,
    body: Vec<u8>,
    signature: [(&'static str, String); 3],
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        target.push('?');
        target.push_str(query);
    }
    let mut authority = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        authority.push_str(&format!(":{port}"));
    }
    let mut builder = Request::post(target)
        .header(HOST, authority)
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close");
    for (name, value) in signature {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Failure::Address)
}

/// An answer whose head has come.
struct Answer {
    answer: http::Response<hyper::body::Incoming>,
    /// What drives the connection; ends with it.
    driving: JoinSet<()>,
}

impl Answer {
    fn status(&self) -> StatusCode {
        self.answer.status()
    }

    /// Hears the receiver out, within limits. Whatever it says changes nothing.
    async fn finish(self) {
        let Self { answer, driving } = self;
        let body = Limited::new(answer.into_body(), BODY_LIMIT).collect();
        drop(tokio::time::timeout(BODY_TIME, body).await);
        drop(driving);
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let mut driving = JoinSet::new();
    driving.spawn(async move {
        // Its error is that of the request, which tells it.
        drop(connection.await);
    });
    let answer = sender.send_request(request).await?;
    Ok(Answer { answer, driving })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use selvedge_net::NetworkPolicy;
    use selvedge_net::tls::{Verification, client_config};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::aws_lc_rs;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;

    fn receivers(private: bool, allow_http: bool) -> Receivers {
        let policy = NetworkPolicy {
            private,
            ..NetworkPolicy::default()
        };
        Receivers {
            dialer: Dialer::new(policy, Duration::from_secs(5)),
            tls: client_config(&Verification::PublicRoots).unwrap(),
            allow_http,
        }
    }

    fn signature() -> [(&'static str, String); 3] {
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name, name.to_owned()))
    }

    async fn post(url: &str) -> Result<(), Failure> {
        let receivers = receivers(true, true);
        receivers.post(url, b"{}".to_vec(), signature()).await
    }

    /// A receiver that gives one answer; what it was asked.
    async fn receiver(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in/7?key=v#part", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"{}") {
                stream.read_buf(&mut asked).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, asked)
    }

    /// An authority of our own, and a server called `localhost` that it vouches for.
    const AUTHORITY: &str = include_str!("../../../postgres/tests/it/certificates/authority.pem");
    const STRANGER: &str = include_str!("../../../postgres/tests/it/certificates/stranger.pem");
    const SERVER: &[u8] = include_bytes!("../../../postgres/tests/it/certificates/server.pem");
    const SERVER_KEY: &[u8] = include_bytes!("../../../postgres/tests/it/certificates/server.key");

    /// A receiver that speaks TLS and gives one answer; its port, and what it was asked: nothing, if no connection came about.
    async fn secure_receiver() -> (u16, tokio::task::JoinHandle<Option<String>>) {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(SERVER).unwrap()],
                PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let mut stream = acceptor.accept(stream).await.ok()?;
            let mut asked = Vec::new();
            while !asked.ends_with(b"{}") {
                stream.read_buf(&mut asked).await.unwrap();
            }
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            Some(String::from_utf8(asked).unwrap())
        });
        (port, asked)
    }

    #[tokio::test]
    async fn a_receiver_over_tls_is_told_if_its_certificate_is_good() {
        let authority = |pem: &str| Verification::Authority {
            pem: pem.to_owned(),
        };
        for (host, verification, is_good) in [
            ("localhost", authority(AUTHORITY), true),
            ("127.0.0.1", authority(AUTHORITY), true),
            // Another name of the same machine.
            ("127.0.0.2", authority(AUTHORITY), false),
            ("localhost", authority(STRANGER), false),
            ("localhost", Verification::PublicRoots, false),
        ] {
            let (port, asked) = secure_receiver().await;
            let receivers = Receivers {
                tls: client_config(&verification).unwrap(),
                ..receivers(true, false)
            };
            // The receiver listens at one address only: what it is called is up to the URL.
            let url = match host {
                "127.0.0.2" => format!("https://{host}:{}/in", forwarded(port).await),
                host => format!("https://{host}:{port}/in"),
            };
            let told = receivers.post(&url, b"{}".to_vec(), signature()).await;
            let asked = asked.await.unwrap();
            match is_good {
                true => {
                    told.unwrap();
                    let asked = asked.expect("it was asked");
                    assert!(asked.starts_with("POST /in HTTP/1.1\r\n"), "{asked}");
                }
                false => {
                    assert!(matches!(told, Err(Failure::Tls(_))), "{host}: {told:?}");
                    assert_eq!(asked, None, "nothing is said to a stranger");
                }
            }
        }
    }

    /// The port of another address that leads to a receiver.
    async fn forwarded(port: u16) -> u16 {
        let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let at = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut from, _) = listener.accept().await.unwrap();
            let mut to = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            // An end with an error is one too.
            drop(copy_bidirectional(&mut from, &mut to).await);
        });
        at
    }

    #[tokio::test]
    async fn a_request_has_its_literal_headers_and_its_body() {
        let (url, asked) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
        let host = url.split('/').nth(2).unwrap().to_owned();
        post(&url).await.unwrap();
        assert_eq!(
            asked.await.unwrap(),
            format!(
                "POST /in/7?key=v HTTP/1.1\r\nhost: {host}\r\nuser-agent: StitchLoadingWebhook\r\n\
                 content-type: application/json\r\nconnection: close\r\nwebhook-id: webhook-id\r\n\
                 webhook-timestamp: webhook-timestamp\r\nwebhook-signature: webhook-signature\r\n\
                 content-length: 2\r\n\r\n{{}}"
            )
        );
    }

    #[tokio::test]
    async fn other_answers_are_failures_and_redirects_are_not_followed() {
        for (answer, status) in [
            (
                "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
                302,
            ),
            ("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", 410),
            (
                "HTTP/1.1 500 Oh\r\ncontent-length: 999999999\r\n\r\nendless",
                500,
            ),
        ] {
            let (url, _asked) = receiver(answer).await;
            match post(&url).await {
                Err(Failure::Status(told)) => assert_eq!(told.as_u16(), status),
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_http_is_a_failure() {
        for answer in ["", "SSH-2.0-server\r\n"] {
            let (url, _asked) = receiver(answer).await;
            assert!(
                matches!(post(&url).await, Err(Failure::Http(_))),
                "{answer}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_says_nothing_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        assert!(matches!(post(&url).await, Err(Failure::TimedOut)));
    }

    #[tokio::test]
    async fn what_may_not_be_called_is_not() {
        let post = async |private, allow_http, url: &str| {
            receivers(private, allow_http)
                .post(url, b"{}".to_vec(), signature())
                .await
        };
        for url in ["http://127.0.0.1:1/", "https://[::1]:1/"] {
            assert!(matches!(
                post(false, true, url).await,
                Err(Failure::Dial(DialError::Forbidden { .. }))
            ));
        }
        for url in ["http://127.0.0.1:1/", "ftp://127.0.0.1/", "nonsense"] {
            assert!(matches!(
                post(true, false, url).await,
                Err(Failure::Address)
            ));
        }
    }
}
