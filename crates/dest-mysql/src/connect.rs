//! Opening sessions.
//!
//! The driver opens its sockets itself. So the name is resolved by the [`Dialer`], which holds the addresses against the
//! operator's networks, and the driver is given exactly those addresses; it uses the name only to greet by TLS.

use std::net::IpAddr;
use std::time::Duration;

use mysql_async::{Conn, Error, IoError, OptsBuilder, SslOpts};
use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_net::{DialError, Dialer, tls};

use crate::config::MysqlConfig;
use crate::error::{connector_error, dial_error};

/// A peer that has vanished is noticed by the operating system, a busy one is waited for.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What every session starts with. Values are never bent to fit, whatever the server's own mode; limits that an operator has
/// set for interactive users do not cut a load that has to wait for its source.
const SETTINGS: &str = "set session
   sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
   time_zone = '+00:00',
   autocommit = 1,
   wait_timeout = 604800,
   net_read_timeout = 600,
   net_write_timeout = 600";

/// Connects, logs in and fixes the session's settings.
pub(crate) async fn connect(config: &MysqlConfig, dialer: &Dialer) -> Result<Conn, ConnectorError> {
    let addresses: Vec<IpAddr> = dialer
        .resolve(&config.host, config.port)
        .await
        .map_err(|error| dial_error(&error))?
        .iter()
        .map(|address| address.ip())
        .collect();
    let encryption = config.tls.then(|| {
        tls::install_provider();
        SslOpts::default()
            .with_danger_accept_invalid_certs(true)
            .with_danger_skip_domain_validation(true)
    });
    let options = OptsBuilder::default()
        .ip_or_hostname(&config.host)
        .tcp_port(config.port)
        .resolved_ips(Some(addresses))
        .user(Some(&config.user))
        .pass(Some(config.password.expose()))
        .ssl_opts(encryption)
        // Never over a socket that the server names: that would be another machine's idea of a path.
        .prefer_socket(false)
        .tcp_keepalive(Some(KEEPALIVE))
        .stmt_cache_size(0)
        .setup(vec![SETTINGS]);
    tokio::time::timeout(config.connect_timeout, Conn::new(options))
        .await
        .map_err(|_| timed_out())?
        .map_err(|error| login_error(error, config, dialer))
}

fn login_error(error: Error, config: &MysqlConfig, dialer: &Dialer) -> ConnectorError {
    match error {
        Error::Io(IoError::Io(source)) => {
            dial_error(&dialer.failed(&config.host, config.port, source))
        }
        other => connector_error(&other),
    }
}

/// The whole login took too long.
fn timed_out() -> ConnectorError {
    ConnectorError::new(ErrorKind::Unreachable, DialError::TimedOut.to_string())
}
