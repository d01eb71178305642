//! What went wrong, in the words of the connector contract.

use std::io;

use mysql_async::{DriverError, Error, IoError, ServerError};
use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_net::DialError;

/// The connection broke while it was in use.
const CONNECTION_LOST: &str = "The connection to the server was lost.";
/// Whoever answers does not speak our protocol.
const WRONG_TYPE: &str = "We encountered an error while attempting to check the type or version for this database. \
                          Please select the correct database type and try again.";
/// `LOAD DATA LOCAL` is switched off, at the server or for this client.
pub(crate) const NO_LOCAL_INFILE: &str = "The server does not accept rows by LOAD DATA LOCAL INFILE: set local_infile = ON in \
                                          its configuration, or run SET GLOBAL local_infile = ON.";

/// The server takes no other connections. MySQL says so; MariaDB denies access as for a wrong password.
pub(crate) const NEEDS_TLS: &str =
    "The server takes encrypted connections only: set the property ssl to true.";

/// Codes of the server that somebody branches on.
pub(crate) const DUPLICATE_KEY: u16 = 1062;
pub(crate) const ACCESS_DENIED: &str = "1045";

/// Why no TCP connection came about.
pub(crate) fn dial_error(error: &DialError) -> ConnectorError {
    let kind = match error {
        DialError::Forbidden { .. } => ErrorKind::Configuration,
        _ => ErrorKind::Unreachable,
    };
    let converted = ConnectorError::new(kind, error.to_string());
    match error {
        // The documented texts stand alone.
        DialError::Refused { .. } | DialError::TimedOut | DialError::Forbidden { .. } => converted,
        DialError::Resolve { source, .. } | DialError::Connect { source, .. } => {
            converted.with_detail(source.to_string())
        }
    }
}

/// Why a statement failed. The server's message goes into `detail` without the values that it quotes, its number into
/// `code`.
pub(crate) fn connector_error(error: &Error) -> ConnectorError {
    match error {
        Error::Server(refusal) => server_error(refusal),
        Error::Io(IoError::Io(broken)) => match broken.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                ConnectorError::new(ErrorKind::Unreachable, WRONG_TYPE)
            }
            _ => ConnectorError::new(ErrorKind::Unreachable, CONNECTION_LOST)
                .with_detail(broken.to_string()),
        },
        Error::Io(IoError::Tls(trouble)) => ConnectorError::new(
            ErrorKind::Unreachable,
            "The TLS connection to the server could not be established.",
        )
        .with_detail(trouble.to_string()),
        Error::Driver(DriverError::ConnectionClosed) => {
            ConnectorError::new(ErrorKind::Unreachable, CONNECTION_LOST)
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            ConnectorError::configuration("the property ssl is true, but the server offers no TLS")
        }
        Error::Driver(
            DriverError::UnknownAuthPlugin { .. }
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::CleartextPluginDisabled,
        ) => ConnectorError::new(
            ErrorKind::Authentication,
            "The server asked for a way of authentication that is not supported.",
        )
        .with_detail(error.to_string()),
        Error::Driver(
            DriverError::PacketOutOfOrder
            | DriverError::UnexpectedPacket { .. }
            | DriverError::CantParseServerVersion { .. },
        ) => ConnectorError::new(ErrorKind::Unreachable, WRONG_TYPE),
        // Their texts are about our own use of the driver, and some would show a row.
        Error::Driver(_) | Error::Other(_) | Error::Url(_) => {
            ConnectorError::internal("the MySQL driver refused a call")
        }
    }
}

fn server_error(error: &ServerError) -> ConnectorError {
    let (kind, message) = classify(error.code);
    let text = match kind {
        ErrorKind::Data if !STRUCTURE.contains(&error.code) => without_values(&error.message),
        _ => error.message.clone(),
    };
    ConnectorError::new(kind, message)
        .with_detail(format!("ERROR {}: {text}", error.code))
        .with_code(error.code.to_string())
}

/// Codes about a database, a table or a column, which their messages quote: no values.
const STRUCTURE: [u16; 4] = [1049, 1054, 1118, 1146];

/// Kind and sentence of an error number. See "Server Error Message Reference" in MySQL's manual and "MariaDB Error Codes".
fn classify(code: u16) -> (ErrorKind, &'static str) {
    use ErrorKind::*;
    match code {
        1045 | 1698 => (
            Authentication,
            "The server refused the username or the password.",
        ),
        1130 | 1251 | 1862 | 3118 | 4151 => (Authentication, "The server refused the login."),
        1129 => (
            Unreachable,
            "The server has blocked this host after failed connections.",
        ),
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 => (Permission, "The user may not do this."),
        1148 | 3948 | 4166 => (Configuration, NO_LOCAL_INFILE),
        3159 => (Configuration, NEEDS_TLS),
        1049 => (Data, "The database does not exist."),
        1054 => (Data, "The column does not exist."),
        1146 => (Data, "The table does not exist."),
        1118 => (
            Data,
            "The columns of the table do not fit into a row of the server.",
        ),
        1290 | 1792 | 1836 => (Configuration, "The server is read-only."),
        1235 | 1286 => (Configuration, "The server does not support this."),
        1021 | 1114 => (Unreachable, "The server's disk is full."),
        1040 | 1203 | 1226 => (Unreachable, "The server has no connection to spare."),
        1205 => (Unreachable, "A lock could not be had in time."),
        1213 => (Unreachable, "The transaction lost against another one."),
        1053 | 1077 | 1079 | 1317 | 1927 | 1969 | 3024 => {
            (Unreachable, "The server cancelled the statement.")
        }
        1153 => (
            Data,
            "A statement is larger than the server's max_allowed_packet.",
        ),
        1062 | 1048 | 1364 | 1451 | 1452 | 3819 | 4025 => (Data, "A row violates a constraint."),
        1264 | 1265 | 1292 | 1366 | 1406 | 3140 | 3141 => {
            (Data, "A value cannot be read or stored.")
        }
        _ => (Internal, "The server refused a statement."),
    }
}

/// Blanks out what stands in single quotes: messages about values quote the value.
pub(crate) fn without_values(message: &str) -> String {
    let mut clean = String::with_capacity(message.len());
    for (index, part) in message.split('\'').enumerate() {
        match (index, index % 2) {
            (0, _) => clean.push_str(part),
            (_, 1) => clean.push_str("'…"),
            _ => {
                clean.push('\'');
                clean.push_str(part);
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_messages_are_blanked_out() {
        for (message, clean) in [
            ("plain", "plain"),
            (
                "Duplicate entry 'secret' for key 'PRIMARY'",
                "Duplicate entry '…' for key '…'",
            ),
            ("torn 'quote", "torn '…"),
        ] {
            assert_eq!(without_values(message), clean);
        }
    }

    #[test]
    fn numbers_have_kinds() {
        for (code, kind) in [
            (1045, ErrorKind::Authentication),
            (1142, ErrorKind::Permission),
            (3948, ErrorKind::Configuration),
            (1213, ErrorKind::Unreachable),
            (1062, ErrorKind::Data),
            (1064, ErrorKind::Internal),
        ] {
            assert_eq!(classify(code).0, kind, "{code}");
        }
    }
}
