//! A connection's settings.

use std::time::Duration;

use selvedge_connector::{ConnectionConfig, ConnectorError};
use selvedge_types::Secret;

/// How long TCP, TLS and authentication together may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where a server is and how to get in.
#[derive(Clone, Debug)]
pub(crate) struct MysqlConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// Encrypts without asking who answers, which is what `ssl` without a certificate authority means.
    pub(crate) tls: bool,
    pub(crate) connect_timeout: Duration,
}

impl MysqlConfig {
    /// Reads `host`, `port`, `username`, `password`, `ssl`.
    pub(crate) fn new(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
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
            user: config.required("username")?,
            password: Secret::new(config.required("password")?),
            tls: config.flag("ssl")?,
            connect_timeout: CONNECT_TIMEOUT,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(change: Value) -> Result<MysqlConfig, ConnectorError> {
        let mut base = json!({"host": "db.example.net", "port": "3306", "username": "loader", "password": "hunter2",
                              "encryption_type": "none"});
        if let (Value::Object(base), Value::Object(change)) = (&mut base, change) {
            base.extend(change);
        }
        let Value::Object(properties) = base else {
            unreachable!("settings are an object")
        };
        MysqlConfig::new(&ConnectionConfig::new(properties))
    }

    #[test]
    fn settings_are_understood_and_the_password_stays_hidden() {
        let config = config(json!({"ssl": "true"})).unwrap();
        assert_eq!(
            (config.host.as_str(), config.port, config.user.as_str()),
            ("db.example.net", 3306, "loader")
        );
        assert!(config.tls);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_setting_that_cannot_be_honoured_is_refused_by_name() {
        for (change, name) in [
            (json!({"encryption_type": "ssh"}), "encryption_type"),
            (json!({"port": "0"}), "port"),
            (json!({"password": null}), "password"),
            (json!({"ssl": "maybe"}), "ssl"),
        ] {
            let error = config(change).expect_err(name);
            assert_eq!(error.kind, selvedge_connector::ErrorKind::Configuration);
            assert!(error.message.contains(name), "{}", error.message);
        }
    }
}
