//! TLS, with a terminator in front of the test server: what is checked of the certificate, and that nothing falls back to
//! plain text.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use selvedge_connector::ErrorKind;
use selvedge_net::tls::Verification;
use selvedge_postgres::{PostgresConfig, connect};
use selvedge_testkit::postgres::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::session::cancel_a_long_statement;
use crate::support::{config, dialer};

const AUTHORITY: &str = include_str!("certificates/authority.pem");
const STRANGER: &str = include_str!("certificates/stranger.pem");
const SERVER: &[u8] = include_bytes!("certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("certificates/server.key");

/// Speaks TLS as PostgreSQL does and passes everything on to the test server, until it is dropped.
struct Terminator {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Terminator {
    async fn start(bind: &str, database: &TestDatabase) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(SERVER).unwrap()],
                PrivateKeyDer::from_pem_slice(SERVER_KEY).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((bind, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = (database.host.clone(), database.port);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(pass_on(stream, acceptor.clone(), target.clone()));
            }
        });
        Self {
            address,
            _tasks: tasks,
        }
    }

    fn config(&self, database: &TestDatabase, tls: Verification) -> PostgresConfig {
        PostgresConfig {
            host: self.address.ip().to_string(),
            port: self.address.port(),
            tls: Some(tls),
            ..config(database)
        }
    }
}

/// Errors end the connection, and the client says what it saw.
async fn pass_on(mut stream: TcpStream, acceptor: TlsAcceptor, target: (String, u16)) {
    let mut request = [0; 8];
    if stream.read_exact(&mut request).await.is_err()
        || request[4..] != 80_877_103_u32.to_be_bytes()
    {
        return;
    }
    if stream.write_all(b"S").await.is_err() {
        return;
    }
    let Ok(mut client) = acceptor.accept(stream).await else {
        return;
    };
    let mut server = TcpStream::connect(target).await.unwrap();
    drop(copy_bidirectional(&mut client, &mut server).await);
}

fn authority(pem: &str) -> Verification {
    Verification::Authority {
        pem: pem.to_owned(),
    }
}

#[tokio::test]
async fn sessions_and_cancel_requests_go_through_tls() {
    let database = TestDatabase::create().await;
    let terminator = Terminator::start("127.0.0.1", &database).await;
    for verification in [Verification::None, authority(AUTHORITY)] {
        let config = terminator.config(&database, verification);
        let session = connect(&config, &dialer()).await.unwrap();
        let error = cancel_a_long_statement(&database, &session).await;
        assert_eq!(error.code.as_deref(), Some("57014"));
        session.close().await;
    }
}

#[tokio::test]
async fn a_chain_to_another_authority_is_refused() {
    let database = TestDatabase::create().await;
    let terminator = Terminator::start("127.0.0.1", &database).await;
    for verification in [authority(STRANGER), Verification::PublicRoots] {
        let config = terminator.config(&database, verification);
        let error = connect(&config, &dialer()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains("TLS"), "{error}");
        assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_nobody_asks() {
    let database = TestDatabase::create().await;
    let terminator = Terminator::start("127.0.0.2", &database).await;
    let config = terminator.config(&database, authority(AUTHORITY));
    let error = connect(&config, &dialer()).await.unwrap_err();
    assert!(error.message.contains("TLS"), "{error}");
    let config = terminator.config(&database, Verification::None);
    connect(&config, &dialer()).await.unwrap().close().await;
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_the_clear() {
    let database = TestDatabase::create().await;
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&database);
    config.host = "127.0.0.1".to_owned();
    config.port = server.local_addr().unwrap().port();
    config.tls = Some(Verification::None);
    let decline = async {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut request = [0; 8];
        stream.read_exact(&mut request).await.unwrap();
        stream.write_all(b"N").await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    };
    let dialer = dialer();
    let (outcome, sent) = tokio::join!(connect(&config, &dialer), decline);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().contains("TLS"), "{error}");
    assert!(
        sent.is_empty(),
        "the client went on after the server declined"
    );
}
