//! Settings of a throw-away database.

use std::time::Duration;

use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_postgres::PostgresConfig;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_types::Secret;

pub(crate) fn config(database: &TestDatabase) -> PostgresConfig {
    PostgresConfig {
        host: database.host.clone(),
        port: database.port,
        database: database.name.clone(),
        user: database.user.clone(),
        password: Secret::new(&database.password),
        tls: None,
        application_name: "selvedge test".to_owned(),
        connect_timeout: Duration::from_secs(10),
        statement_timeout: None,
    }
}

pub(crate) fn dialer() -> Dialer {
    let policy = NetworkPolicy {
        private: true,
        ..NetworkPolicy::default()
    };
    Dialer::new(policy, Duration::from_secs(5))
}
