//! Opening sessions.

use std::net::IpAddr;
use std::time::Duration;

use selvedge_connector::ConnectorError;
use selvedge_net::Dialer;
use selvedge_net::tls::client_config;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{MakeTlsConnect, NoTls};
use tokio_postgres::{CancelToken, Client, Connection};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use crate::error::{connector_error, dial_error, login_error, timed_out};
use crate::{PostgresConfig, quote_literal};

/// How long a cancel request may take; the caller gives up on the session anyway.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// A logged-in session. Dropping it cuts the connection; [`Session::close`] says goodbye first.
#[derive(Debug)]
pub struct Session {
    client: Client,
    driver: AbortOnDropHandle<()>,
    canceller: Canceller,
    server_version: u32,
}

/// Dials and logs in. Text forms are fixed: ISO dates, UTC, shortest exact floats, hexadecimal bytes.
pub async fn connect(config: &PostgresConfig, dialer: &Dialer) -> Result<Session, ConnectorError> {
    let stream = dial(config, dialer).await?;
    log_in(stream, config, dialer).await
}

/// The first half of [`connect`]: the TCP connection. A peer that has vanished is noticed within about two minutes.
pub async fn dial(config: &PostgresConfig, dialer: &Dialer) -> Result<TcpStream, ConnectorError> {
    let stream = dialer
        .connect(&config.host, config.port)
        .await
        .map_err(|error| dial_error(&error))?;
    // A read may wait for hours while the server sorts: only the operating system can tell a busy server from a dead one.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    SockRef::from(&stream)
        .set_tcp_keepalive(&keepalive)
        .map_err(|error| ConnectorError::internal(format!("TCP keep-alive failed: {error}")))?;
    Ok(stream)
}

/// The second half of [`connect`]: TLS, start-up, authentication, session settings.
pub async fn log_in(
    stream: TcpStream,
    config: &PostgresConfig,
    dialer: &Dialer,
) -> Result<Session, ConnectorError> {
    let peer = stream
        .peer_addr()
        .map_err(|error| ConnectorError::internal(format!("the connection broke: {error}")))?;
    timeout(
        config.connect_timeout,
        Box::pin(start_up(stream, config, dialer, peer.ip())),
    )
    .await
    .map_err(|_| timed_out())?
}

async fn start_up(
    stream: TcpStream,
    config: &PostgresConfig,
    dialer: &Dialer,
    address: IpAddr,
) -> Result<Session, ConnectorError> {
    let mut driver_config = tokio_postgres::Config::new();
    driver_config
        .user(&config.user)
        .password(config.password.expose())
        .dbname(&config.database)
        .application_name(&config.application_name)
        .ssl_mode(if config.tls.is_some() {
            SslMode::Require
        } else {
            SslMode::Disable
        });
    let failed = |error| login_error(&error, &config.user);
    let tls = tls_connector(config)?;
    let (client, facts, driver) = match &tls {
        None => {
            let (client, connection) = driver_config
                .connect_raw(stream, NoTls)
                .await
                .map_err(failed)?;
            let facts = ServerFacts::of(&connection);
            (client, facts, tokio::spawn(drive(connection)))
        }
        Some(tls) => {
            let tls = tls_handshake(tls, &config.host)?;
            let (client, connection) = driver_config
                .connect_raw(stream, tls)
                .await
                .map_err(failed)?;
            let facts = ServerFacts::of(&connection);
            (client, facts, tokio::spawn(drive(connection)))
        }
    };
    let driver = AbortOnDropHandle::new(driver);
    if !facts.integer_datetimes {
        return Err(ConnectorError::configuration(
            "the server keeps timestamps as floating-point numbers, which is not supported",
        ));
    }
    client
        .batch_execute(&session_settings(facts.version, config.statement_timeout))
        .await
        .map_err(failed)?;
    let canceller = Canceller {
        token: client.cancel_token(),
        address,
        host: config.host.clone(),
        port: config.port,
        tls,
        dialer: dialer.clone(),
    };
    Ok(Session {
        client,
        driver,
        canceller,
        server_version: facts.version,
    })
}

impl Session {
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// For transactions, which borrow the session for as long as they last.
    pub fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// As `server_version_num`: 160004 is 16.4, 90624 is 9.6.24.
    pub fn server_version(&self) -> u32 {
        self.server_version
    }

    /// Asks the server to stop what this session is doing; independent of any borrow of the session.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Asks the server to stop what this session is doing. The running statement then fails with SQLSTATE 57014.
    pub async fn cancel(&self) -> Result<(), ConnectorError> {
        self.canceller.cancel().await
    }

    /// Ends the session in good order; an open transaction is rolled back.
    pub async fn close(self) {
        drop(self.client);
        // Whatever is left after the time limit is cut off by dropping the handle.
        drop(timeout(CANCEL_TIMEOUT, self.driver).await);
    }
}

/// Cancels the statement of one session over a connection of its own.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    /// The server that was reached, not whatever the name may lead to by now.
    address: IpAddr,
    host: String,
    port: u16,
    tls: Option<MakeRustlsConnect>,
    dialer: Dialer,
}

impl std::fmt::Debug for Canceller {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Canceller")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Canceller {
    /// Delivers the request; the server does not say whether there was anything to cancel.
    pub async fn cancel(&self) -> Result<(), ConnectorError> {
        timeout(CANCEL_TIMEOUT, Box::pin(self.deliver()))
            .await
            .map_err(|_| timed_out())?
    }

    async fn deliver(&self) -> Result<(), ConnectorError> {
        let stream = self
            .dialer
            .connect(&self.address.to_string(), self.port)
            .await
            .map_err(|error| dial_error(&error))?;
        match &self.tls {
            None => self.token.cancel_query_raw(stream, NoTls).await,
            Some(tls) => {
                let tls = tls_handshake(tls, &self.host)?;
                self.token.cancel_query_raw(stream, tls).await
            }
        }
        .map_err(|error| connector_error(&error))
    }
}

/// What the server says about itself while starting up.
struct ServerFacts {
    version: u32,
    integer_datetimes: bool,
}

impl ServerFacts {
    fn of<S, T>(connection: &Connection<S, T>) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        Self {
            version: connection
                .parameter("server_version")
                .map_or(0, version_number),
            integer_datetimes: connection.parameter("integer_datetimes") != Some("off"),
        }
    }
}

/// Moves bytes until the session ends; the error also reaches whoever waits for an answer.
async fn drive<S, T>(connection: Connection<S, T>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    if let Err(error) = connection.await {
        debug!(error = %connector_error(&error), "PostgreSQL session ended");
    }
}

fn tls_connector(config: &PostgresConfig) -> Result<Option<MakeRustlsConnect>, ConnectorError> {
    let Some(verification) = &config.tls else {
        return Ok(None);
    };
    let settings = client_config(verification)
        .map_err(|error| ConnectorError::configuration(error.to_string()))?;
    Ok(Some(MakeRustlsConnect::new((*settings).clone())))
}

fn tls_handshake(
    tls: &MakeRustlsConnect,
    host: &str,
) -> Result<<MakeRustlsConnect as MakeTlsConnect<TcpStream>>::TlsConnect, ConnectorError> {
    MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls.clone(), host).map_err(|error| {
        ConnectorError::configuration(format!("the host name cannot be used with TLS: {error}"))
    })
}

/// Everything that shapes values as text, and the limits that a role or database may have set for interactive users.
fn session_settings(version: u32, statement_timeout: Option<Duration>) -> String {
    let limit = statement_timeout.map_or(0, |limit| limit.as_millis());
    let mut settings = vec![
        ("timezone", "UTC".to_owned()),
        ("datestyle", "ISO, YMD".to_owned()),
        ("intervalstyle", "postgres".to_owned()),
        ("extra_float_digits", "3".to_owned()),
        ("bytea_output", "hex".to_owned()),
        ("client_min_messages", "warning".to_owned()),
        ("statement_timeout", limit.to_string()),
    ];
    if version >= 90_600 {
        settings.push(("idle_in_transaction_session_timeout", "0".to_owned()));
    }
    if version >= 170_000 {
        settings.push(("transaction_timeout", "0".to_owned()));
    }
    settings
        .iter()
        .map(|(name, value)| format!("set {name} = {};", quote_literal(value)))
        .collect()
}

/// `16.4 (Debian 16.4-1)` is 160004, `9.6.24` is 90624, `18beta1` is 180000; anything else is 0.
fn version_number(text: &str) -> u32 {
    let digits = |part: &str| -> u32 {
        let end = part
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(part.len());
        part[..end].parse().unwrap_or(0)
    };
    let mut parts = text.split('.').map(digits);
    let mut next = || parts.next().unwrap_or(0);
    let major = next();
    if major >= 10 {
        major * 10_000 + next()
    } else {
        major * 10_000 + next() * 100 + next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for (text, number) in [
            ("16.4 (Debian 16.4-1.pgdg120+1)", 160_004),
            ("9.6.24", 90_624),
            ("9.3.0", 90_300),
            ("18beta1", 180_000),
            ("17devel", 170_000),
            ("", 0),
        ] {
            assert_eq!(version_number(text), number, "{text:?}");
        }
    }
}
