//! Opening TCP connections for tenants.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::NetworkPolicy;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error("the host name {host} could not be resolved")]
    Resolve { host: String, source: io::Error },
    #[error("the address of {host} is in a network that this server may not reach")]
    Forbidden { host: String },
    #[error(
        "Connection refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections."
    )]
    Refused { source: io::Error },
    #[error("Connection timed out.")]
    TimedOut,
    #[error("the connection to {host}:{port} failed")]
    Connect {
        host: String,
        port: u16,
        source: io::Error,
    },
}

/// Opens connections under the operator's network policy. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dialer {
    policy: Arc<NetworkPolicy>,
    connect_timeout: Duration,
}

impl Dialer {
    /// `connect_timeout` bounds the attempt at one address.
    pub fn new(policy: NetworkPolicy, connect_timeout: Duration) -> Self {
        Self {
            policy: Arc::new(policy),
            connect_timeout,
        }
    }

    /// Resolves `host` once and connects to the first permitted address that answers. `TCP_NODELAY` is set and keep-alive
    /// is left to the protocol above.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        let mut failure = None;
        for address in self.resolve(host, port).await? {
            match tokio::time::timeout(self.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream
                        .set_nodelay(true)
                        .map_err(|source| self.broken(host, port, source))?;
                    return Ok(stream);
                }
                Ok(Err(source)) => failure = Some(self.failed(host, port, source)),
                Err(_) => failure = Some(DialError::TimedOut),
            }
        }
        Err(failure.unwrap_or(DialError::TimedOut))
    }

    /// The permitted addresses of `host`, at least one, for drivers that connect by themselves: they must be given these and
    /// not the name, which may lead elsewhere a moment later.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let unknown = |source| DialError::Resolve {
            host: host.to_owned(),
            source,
        };
        let lookup =
            tokio::time::timeout(self.connect_timeout, tokio::net::lookup_host((host, port)));
        let mut addresses: Vec<SocketAddr> = lookup
            .await
            .map_err(|_| DialError::TimedOut)?
            .map_err(unknown)?
            .collect();
        if addresses.is_empty() {
            return Err(unknown(io::ErrorKind::NotFound.into()));
        }
        addresses.retain(|address| self.policy.permits(address.ip()));
        if addresses.is_empty() {
            return Err(DialError::Forbidden {
                host: host.to_owned(),
            });
        }
        Ok(addresses)
    }

    /// The error of a driver's own attempt at an address from [`Dialer::resolve`], told as one of ours.
    pub fn failed(&self, host: &str, port: u16, source: io::Error) -> DialError {
        match source.kind() {
            io::ErrorKind::ConnectionRefused => DialError::Refused { source },
            io::ErrorKind::TimedOut => DialError::TimedOut,
            _ => self.broken(host, port, source),
        }
    }

    fn broken(&self, host: &str, port: u16, source: io::Error) -> DialError {
        DialError::Connect {
            host: host.to_owned(),
            port,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer(private: bool) -> Dialer {
        Dialer::new(
            NetworkPolicy {
                private,
                ..NetworkPolicy::default()
            },
            Duration::from_secs(5),
        )
    }

    #[tokio::test]
    async fn a_forbidden_address_is_never_dialled() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(matches!(
            dialer(false).connect("127.0.0.1", port).await,
            Err(DialError::Forbidden { .. })
        ));
        assert!(dialer(true).connect("127.0.0.1", port).await.is_ok());
    }

    #[tokio::test]
    async fn forbidden_addresses_are_not_handed_out_either() {
        assert!(matches!(
            dialer(false).resolve("127.0.0.1", 1).await,
            Err(DialError::Forbidden { .. })
        ));
        let addresses = dialer(true).resolve("127.0.0.1", 1).await.unwrap();
        assert_eq!(addresses, ["127.0.0.1:1".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert!(matches!(
            dialer(true).connect("127.0.0.1", port).await,
            Err(DialError::Refused { .. })
        ));
    }
}
