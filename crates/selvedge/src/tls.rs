//! Serving HTTPS: a listener whose connections have finished their handshake.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A client that does not finish its handshake in this time is dropped.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes under way at once; beyond it, new connections wait in the system's queue.
const MOST_HANDSHAKES: usize = 256;

/// Reads a certificate chain and its key from PEM files.
pub(crate) fn server_config(certificate: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let unreadable = |path: &Path| format!("{} could not be read as PEM", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| unreadable(certificate))?;
    let key_der = PrivateKeyDer::from_pem_file(key).with_context(|| unreadable(key))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| {
            format!(
                "{} and {} do not belong together",
                certificate.display(),
                key.display()
            )
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts TCP connections and hands out those that speak TLS. A slow handshake holds up nobody.
pub(crate) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl TlsListener {
    pub(crate) fn new(tcp: TcpListener, config: ServerConfig) -> Self {
        Self {
            tcp,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            handshakes: JoinSet::new(),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.tcp), if self.handshakes.len() < MOST_HANDSHAKES => {
                    let acceptor = self.acceptor.clone();
                    self.handshakes.spawn(async move {
                        match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                            Ok(Ok(stream)) => Some((stream, address)),
                            Ok(Err(error)) => {
                                tracing::debug!(%error, client.address = %address, "a TLS handshake failed");
                                None
                            }
                            Err(_) => None,
                        }
                    });
                }
                Some(done) = self.handshakes.join_next(), if !self.handshakes.is_empty() => {
                    match done {
                        Ok(Some(connection)) => return connection,
                        Ok(None) => {}
                        Err(error) => tracing::error!(%error, "a TLS handshake crashed"),
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use axum::Router;
    use axum::routing::get;
    use rustls::pki_types::ServerName;
    use selvedge_net::tls::{Verification, client_config};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;

    use super::*;

    /// The throw-away certificates of the PostgreSQL connector's tests.
    fn certificate(name: &str) -> PathBuf {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../postgres/tests/it/certificates"
        );
        PathBuf::from(folder).join(name)
    }

    #[tokio::test]
    async fn https_is_served_while_another_client_never_finishes_its_handshake() {
        selvedge_net::tls::install_provider();
        let config = server_config(&certificate("server.pem"), &certificate("server.key")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "hello" }));
        let serving =
            tokio::spawn(async move { axum::serve(TlsListener::new(tcp, config), router).await });

        let silent = TcpStream::connect(address).await.unwrap();
        let pem = std::fs::read_to_string(certificate("authority.pem")).unwrap();
        let connector =
            TlsConnector::from(client_config(&Verification::Authority { pem }).unwrap());
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, tcp).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("hello"),
            "{answer}"
        );
        drop(silent);
        serving.abort();
    }

    #[test]
    fn files_that_are_no_certificate_and_key_are_named() {
        selvedge_net::tls::install_provider();
        let refused = |left: &str, right: &str| {
            let error = server_config(&certificate(left), &certificate(right)).unwrap_err();
            format!("{error:#}")
        };
        assert!(refused("missing.pem", "server.key").contains("missing.pem"));
        assert!(refused("server.pem", "authority.pem").contains("authority.pem"));
        assert!(refused("stranger.pem", "server.key").contains("do not belong together"));
    }
}
