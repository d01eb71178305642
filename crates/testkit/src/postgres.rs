//! Throw-away PostgreSQL databases on the server that `cargo xtask test` started.

use tokio_postgres::{Client, NoTls};

/// Names the server: `postgres://USER[:PASSWORD]@HOST:PORT/DATABASE`, a superuser. Set by `cargo xtask test`.
pub const SERVER_VARIABLE: &str = "SELVEDGE_TEST_POSTGRES_URL";

/// A fresh, empty database. Left behind at the end: the server goes with the test run.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub name: String,
}

impl TestDatabase {
    /// Creates a database with a name of its own.
    ///
    /// # Panics
    /// When the server is missing: a test that needs PostgreSQL fails loudly instead of passing untested.
    pub async fn create() -> Self {
        let server = std::env::var(SERVER_VARIABLE).unwrap_or_else(|_| {
            panic!("{SERVER_VARIABLE} is not set: run the tests with `cargo xtask test`, or name a PostgreSQL server")
        });
        let config: tokio_postgres::Config = server
            .parse()
            .expect("the server variable holds a PostgreSQL URL");
        let host = match config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            _ => panic!("{SERVER_VARIABLE} must name a host reached over TCP"),
        };
        let mut database = Self {
            host,
            port: *config.get_ports().first().unwrap_or(&5432),
            user: config.get_user().unwrap_or("postgres").to_owned(),
            password: config
                .get_password()
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                .unwrap_or_else(|| "unused".to_owned()),
            name: config.get_dbname().unwrap_or("postgres").to_owned(),
        };
        let admin = database.connect().await;
        let name = format!("t_{}", uuid::Uuid::new_v4().simple());
        admin
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("the test user may create databases");
        database.name = name;
        database
    }

    /// `postgres://…` of this database.
    pub fn url(&self) -> String {
        format!(
            "postgres://{}:{}@{}:{}/{}",
            self.user, self.password, self.host, self.port, self.name
        )
    }

    /// A session of its own; its task ends with the client.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls)
            .await
            .expect("the test server accepts connections");
        tokio::spawn(async move {
            // An error here shows up in the client's next call.
            drop(connection.await);
        });
        client
    }
}
