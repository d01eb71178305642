//! What went wrong, in the words of the connector contract.

use std::error::Error as _;
use std::io;

use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_net::DialError;
use tokio_postgres::error::DbError;

/// The connection broke while it was in use.
const CONNECTION_LOST: &str = "An I/O error occurred while sending to the backend.";
/// Whoever answers does not speak our protocol.
const WRONG_TYPE: &str = "We encountered an error while attempting to check the type or version for this database. \
                          Please select the correct database type and try again.";

/// Why the TCP connection did not come about.
pub fn dial_error(error: &DialError) -> ConnectorError {
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

/// Why a statement failed. The server's message goes into `detail` and the SQLSTATE into `code`; its DETAIL, HINT and
/// CONTEXT are dropped, because they hold row values.
pub fn connector_error(error: &tokio_postgres::Error) -> ConnectorError {
    if let Some(refusal) = error.as_db_error() {
        return server_error(refusal);
    }
    let text = error.to_string();
    let cause = error.source();
    let detail = cause.map(ToString::to_string);
    let with_detail = |converted: ConnectorError| match &detail {
        Some(detail) => converted.with_detail(detail),
        None => converted,
    };
    // The driver keeps its kinds to itself; its texts are stable and tested below and against a real server.
    if text.starts_with("error performing TLS") {
        return with_detail(ConnectorError::new(
            ErrorKind::Unreachable,
            "The TLS connection to the server could not be established.",
        ));
    }
    if text.starts_with("authentication error") {
        return with_detail(ConnectorError::new(
            ErrorKind::Authentication,
            "The server asked for a way of authentication that failed or is not supported.",
        ));
    }
    if let Some(broken) = cause.and_then(|cause| cause.downcast_ref::<io::Error>()) {
        let foreign = matches!(
            broken.kind(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
        );
        let message = if foreign { WRONG_TYPE } else { CONNECTION_LOST };
        return with_detail(ConnectorError::new(ErrorKind::Unreachable, message));
    }
    if error.is_closed() {
        return ConnectorError::new(ErrorKind::Unreachable, CONNECTION_LOST);
    }
    if text.starts_with("unexpected message") || text.starts_with("error parsing") {
        return ConnectorError::new(ErrorKind::Unreachable, WRONG_TYPE).with_detail(text);
    }
    with_detail(ConnectorError::internal(text))
}

/// The same while logging in: a wrong password has a documented text that names the user.
pub(crate) fn login_error(error: &tokio_postgres::Error, user: &str) -> ConnectorError {
    let mut converted = connector_error(error);
    if converted.code.as_deref() == Some("28P01") {
        converted.message = format!("FATAL: Password authentication failed for user [{user}]");
        // The server says the same in other words.
        converted.detail = None;
    }
    converted
}

/// The whole login took too long.
pub(crate) fn timed_out() -> ConnectorError {
    ConnectorError::new(ErrorKind::Unreachable, DialError::TimedOut.to_string())
}

fn server_error(error: &DbError) -> ConnectorError {
    let code = error.code().code();
    let (kind, message) = classify(code);
    let text = if code.starts_with("22") {
        without_values(error.message())
    } else {
        error.message().to_owned()
    };
    ConnectorError::new(kind, message)
        .with_detail(format!("{}: {text}", error.severity()))
        .with_code(code)
}

/// Kind and sentence of an SQLSTATE. See "PostgreSQL Error Codes" in the server's manual.
fn classify(code: &str) -> (ErrorKind, &'static str) {
    use ErrorKind::*;
    match code {
        "28P01" => (Authentication, "The server refused the password."),
        "42501" => (Permission, "The user may not do this."),
        "3D000" => (Configuration, "The database does not exist."),
        "42P01" => (Configuration, "The table does not exist."),
        "42703" => (Configuration, "The column does not exist."),
        "3F000" => (Configuration, "The schema does not exist."),
        "25006" => (Configuration, "The server is read-only."),
        "0A000" => (Configuration, "The server does not support this."),
        "53100" => (Unreachable, "The server's disk is full."),
        "53300" => (Unreachable, "The server has no connection to spare."),
        "57014" => (Unreachable, "The server cancelled the statement."),
        "57P03" => (Unreachable, "The server does not accept connections now."),
        "55P03" => (Unreachable, "A lock could not be had in time."),
        "40001" | "40P01" => (Unreachable, "The transaction lost against another one."),
        _ => match code.get(..2).unwrap_or_default() {
            "28" => (Authentication, "The server refused the login."),
            "08" | "57" => (Unreachable, CONNECTION_LOST),
            "55" => (Configuration, "The table is not in a state to be used."),
            "72" => (Unreachable, "The snapshot is too old."),
            "53" | "58" => (Unreachable, "The server is out of resources."),
            "22" => (Data, "A value cannot be read or stored."),
            "23" => (Data, "A row violates a constraint."),
            "44" | "P0" | "XX" => (Data, "The server failed on the data."),
            _ => (Internal, "The server refused a statement."),
        },
    }
}

/// Blanks out what stands in double quotes: messages about malformed values quote the value.
fn without_values(message: &str) -> String {
    let mut clean = String::with_capacity(message.len());
    for (index, part) in message.split('"').enumerate() {
        match (index, index % 2) {
            (0, _) => clean.push_str(part),
            (_, 1) => clean.push_str("\"…"),
            _ => {
                clean.push('"');
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
            ("division by zero", "division by zero"),
            (
                "invalid input syntax for type integer: \"secret\"",
                "invalid input syntax for type integer: \"…\"",
            ),
            ("value \"a\" of \"b\" is odd", "value \"…\" of \"…\" is odd"),
            ("torn \"quote", "torn \"…"),
        ] {
            assert_eq!(without_values(message), clean);
        }
    }

    #[test]
    fn states_have_kinds() {
        for (code, kind) in [
            ("28000", ErrorKind::Authentication),
            ("42501", ErrorKind::Permission),
            ("42P01", ErrorKind::Configuration),
            ("57P01", ErrorKind::Unreachable),
            ("08006", ErrorKind::Unreachable),
            ("22003", ErrorKind::Data),
            ("23505", ErrorKind::Data),
            ("42601", ErrorKind::Internal),
            ("", ErrorKind::Internal),
        ] {
            assert_eq!(classify(code).0, kind, "{code}");
        }
    }

    #[test]
    fn a_forbidden_address_is_a_setting_and_a_closed_port_is_not() {
        let forbidden = dial_error(&DialError::Forbidden { host: "db".into() });
        assert_eq!(forbidden.kind, ErrorKind::Configuration);
        let refused = dial_error(&DialError::Refused {
            source: io::ErrorKind::ConnectionRefused.into(),
        });
        assert_eq!(refused.kind, ErrorKind::Unreachable);
        assert!(
            refused
                .to_string()
                .starts_with("Connection refused. Check that the hostname")
        );
    }
}
