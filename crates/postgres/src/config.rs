//! A connection's settings, under the names that sources and destinations give them.

use std::time::Duration;

use selvedge_connector::{ConnectionConfig, ConnectorError};
use selvedge_net::tls::Verification;
use selvedge_types::Secret;

/// How long TLS, start-up and authentication together may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a PostgreSQL server is and how to get in.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub password: Secret,
    /// `None` speaks in the clear.
    pub tls: Option<Verification>,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Bounds TLS, start-up and authentication; the dialer bounds the TCP connection.
    pub connect_timeout: Duration,
    /// Server-side limit of every statement. `None` switches a limit that the role or database may have off: reading or
    /// writing a large table takes as long as it takes.
    pub statement_timeout: Option<Duration>,
}

impl PostgresConfig {
    /// Reads a source's properties: `host`, `port`, `dbname`, `user`, `password`, `ssl`.
    ///
    /// Accepted without effect, because the result does not depend on them: `itersize` and `incremental_limit` (rows are
    /// streamed, and an interrupted read goes on where it was), `socket_timeout` (the operating system watches over the
    /// connection), and whatever only log-based replication reads.
    pub fn from_source(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
        refuse_flag(config, "ssh", "SSH tunnels are not available yet")?;
        refuse_flag(
            config,
            "use_log_based_replication",
            "log-based replication is not available yet",
        )?;
        let database = config.required("dbname")?;
        if let Some(names) = config.text("filter_dbs") {
            let foreign = names
                .split(',')
                .map(str::trim)
                .any(|name| !name.is_empty() && name != database);
            if foreign {
                return Err(ConnectorError::configuration(
                    "the property filter_dbs names a database other than dbname, but a source reads one database: \
                     create a source for each",
                ));
            }
        }
        Ok(Self {
            host: config.required("host")?,
            port: config.port("port")?,
            database,
            user: config.required("user")?,
            password: password(config)?,
            tls: tls(config)?,
            application_name: "selvedge source".to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            statement_timeout: None,
        })
    }

    /// Reads a destination's properties: `host`, `port`, `database`, `username`, `password`, `ssl`, `sslrootcert`.
    pub fn from_destination(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
        if let Some(kind) = config.text("encryption_type")
            && !matches!(kind.as_str(), "" | "none")
        {
            return Err(ConnectorError::configuration(
                "the property encryption_type must be none: SSH tunnels are not available yet",
            ));
        }
        Ok(Self {
            host: config.required("host")?,
            port: config.port("port")?,
            database: config.required("database")?,
            user: config.required("username")?,
            password: password(config)?,
            tls: tls(config)?,
            application_name: "selvedge destination".to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            statement_timeout: None,
        })
    }
}

fn refuse_flag(config: &ConnectionConfig, name: &str, reason: &str) -> Result<(), ConnectorError> {
    if config.flag(name)? {
        return Err(ConnectorError::configuration(format!(
            "the property {name} must not be true: {reason}"
        )));
    }
    Ok(())
}

fn password(config: &ConnectionConfig) -> Result<Secret, ConnectorError> {
    config.required("password").map(Secret::new)
}

/// `ssl` without an authority encrypts without asking who answers; with one, chain and name are checked.
fn tls(config: &ConnectionConfig) -> Result<Option<Verification>, ConnectorError> {
    let authority = config
        .text("sslrootcert")
        .filter(|pem| !pem.trim().is_empty());
    match (config.flag("ssl")?, authority) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(ConnectorError::configuration(
            "the property sslrootcert is set, but ssl is not true",
        )),
        (true, None) => Ok(Some(Verification::None)),
        (true, Some(pem)) => {
            let verification = Verification::Authority { pem };
            selvedge_net::tls::client_config(&verification).map_err(|error| {
                ConnectorError::configuration(format!(
                    "the property sslrootcert cannot be used: {error}"
                ))
            })?;
            Ok(Some(verification))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(value: Value) -> ConnectionConfig {
        let Value::Object(properties) = value else {
            panic!("settings are an object");
        };
        ConnectionConfig::new(properties)
    }

    fn source(change: Value) -> Result<PostgresConfig, ConnectorError> {
        let mut base = json!({"host": "db.example.net", "port": "5432", "dbname": "shop", "user": "reader",
                              "password": "hunter2"});
        if let (Value::Object(base), Value::Object(change)) = (&mut base, change) {
            base.extend(change);
        }
        PostgresConfig::from_source(&settings(base))
    }

    fn destination(change: Value) -> Result<PostgresConfig, ConnectorError> {
        let mut base = json!({"host": "pg.example.net", "port": 5432, "database": "dw", "username": "loader",
                              "password": "hunter2", "encryption_type": "none"});
        if let (Value::Object(base), Value::Object(change)) = (&mut base, change) {
            base.extend(change);
        }
        PostgresConfig::from_destination(&settings(base))
    }

    #[test]
    fn both_kinds_of_settings_are_understood() {
        let source =
            source(json!({"filter_dbs": "shop", "ssl": "false", "itersize": "20000"})).unwrap();
        assert_eq!(
            (
                source.host.as_str(),
                source.port,
                source.database.as_str(),
                source.user.as_str()
            ),
            ("db.example.net", 5432, "shop", "reader")
        );
        assert!(source.tls.is_none());
        let destination = destination(json!({"ssl": true})).unwrap();
        assert_eq!(
            (destination.database.as_str(), destination.user.as_str()),
            ("dw", "loader")
        );
        assert!(matches!(destination.tls, Some(Verification::None)));
    }

    #[test]
    fn debug_does_not_show_the_password() {
        assert!(!format!("{:?}", source(json!({})).unwrap()).contains("hunter2"));
    }

    #[test]
    fn a_setting_that_cannot_be_honoured_is_refused_by_name() {
        for (refused, name) in [
            (source(json!({"ssh": "true"})), "ssh"),
            (
                source(json!({"use_log_based_replication": "true"})),
                "use_log_based_replication",
            ),
            (source(json!({"filter_dbs": "shop,crm"})), "filter_dbs"),
            (source(json!({"port": "70000"})), "port"),
            (source(json!({"password": null})), "password"),
            (source(json!({"ssl": "maybe"})), "ssl"),
            (
                destination(json!({"encryption_type": "ssh"})),
                "encryption_type",
            ),
            (
                destination(json!({"sslrootcert": "-----BEGIN"})),
                "sslrootcert",
            ),
            (
                destination(json!({"ssl": "true", "sslrootcert": "no certificate"})),
                "sslrootcert",
            ),
        ] {
            let error = refused.expect_err(name);
            assert_eq!(error.kind, selvedge_connector::ErrorKind::Configuration);
            assert!(
                error.message.contains(name),
                "{} does not name {name}",
                error.message
            );
        }
    }
}
