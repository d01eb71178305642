//! What can go wrong with a connection, and what follows from it.

use std::fmt;

/// The kinds somebody branches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A setting is missing, malformed or asks for something this build does not do, or the other side is not set up for what
    /// it is to do. It concerns everything behind the connection.
    Configuration,
    /// The other side refused the credentials.
    Authentication,
    /// The credentials are right, but may not do this.
    Permission,
    /// Nobody answered: name resolution, network, TLS, timeout, or the connection broke.
    Unreachable,
    /// The other side asks us to slow down.
    RateLimit,
    /// The data itself, or the table that it is in, cannot be read or written. It concerns that table alone: others go on.
    Data,
    /// The run was asked to stop, or another run holds a newer lease.
    Stopped,
    /// Our own failure.
    Internal,
}

/// A failure of a source or destination.
///
/// `message` is a sentence that a customer can act on; `detail` is the other side's own text, free of secrets and of
/// row values as far as we can tell; `code` is its error code (an SQLSTATE, for example).
#[derive(Clone, Debug)]
pub struct ConnectorError {
    pub kind: ErrorKind,
    pub message: String,
    pub detail: Option<String>,
    pub code: Option<String>,
}

impl ConnectorError {
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            detail: None,
            code: None,
        }
    }

    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// A table is not, or not any more, as it has to be: its owner has to put it right, and other tables go on.
    pub fn table(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub fn stopped() -> Self {
        Self::new(ErrorKind::Stopped, "the run was stopped")
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same error, saying in front what was being done (`"table shop.orders"`).
    pub fn within(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Whether the same attempt may succeed later without anybody changing anything.
    pub fn temporary(&self) -> bool {
        matches!(self.kind, ErrorKind::Unreachable | ErrorKind::RateLimit)
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if let Some(detail) = &self.detail {
            write!(formatter, " ({detail})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectorError {}
