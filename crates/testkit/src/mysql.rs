//! Throw-away schemas, which are databases, on the MariaDB servers that `cargo xtask test` started.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Value};

/// Names the server: `mysql://USER:PASSWORD@HOST:PORT`, a user with every right. Set by `cargo xtask test`.
pub const SERVER_VARIABLE: &str = "SELVEDGE_TEST_MYSQL_URL";

/// The same for a server that takes encrypted connections only, and whose settings tests may change in turn.
pub const STRICT_VARIABLE: &str = "SELVEDGE_TEST_MYSQL_STRICT_URL";

/// A schema name of one test's own on the shared server. The schema itself is made by whoever writes first, and left behind
/// at the end: the server goes with the test run.
#[derive(Clone, Debug)]
pub struct TestSchema {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub name: String,
    /// The server takes no other connections.
    pub encrypted: bool,
}

impl TestSchema {
    /// Chooses a name that nobody else has.
    ///
    /// # Panics
    /// When the server is missing: a test that needs MariaDB fails loudly instead of passing untested.
    pub fn choose() -> Self {
        Self::on(SERVER_VARIABLE)
    }

    /// The same on the strict server.
    ///
    /// # Panics
    /// When it is missing.
    pub fn choose_strict() -> Self {
        Self {
            encrypted: true,
            ..Self::on(STRICT_VARIABLE)
        }
    }

    fn on(variable: &str) -> Self {
        let server = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set: run the tests with `cargo xtask test`, or name a MariaDB server")
        });
        let options = Opts::from_url(&server).expect("the server variable holds a MySQL URL");
        let given = |text: Option<&str>| {
            text.unwrap_or_else(|| panic!("{variable} must name a user and a password"))
                .to_owned()
        };
        Self {
            host: options.ip_or_hostname().to_owned(),
            port: options.tcp_port(),
            user: given(options.user()),
            password: given(options.pass()),
            name: format!("t_{}", uuid::Uuid::new_v4().simple()),
            encrypted: false,
        }
    }

    /// A session of its own, without a default database.
    pub async fn connect(&self) -> Conn {
        let url = format!(
            "mysql://{}:{}@{}:{}?prefer_socket=false{}",
            self.user,
            self.password,
            self.host,
            self.port,
            match self.encrypted {
                true => "&require_ssl=true&verify_ca=false&verify_identity=false",
                false => "",
            }
        );
        if self.encrypted {
            selvedge_net::tls::install_provider();
        }
        Conn::from_url(url)
            .await
            .expect("the test server accepts connections")
    }
}

/// Every row of a query as text, columns joined with `|`, NULL as `-`.
///
/// # Panics
/// When the server refuses the query.
pub async fn rows(session: &mut Conn, query: &str) -> Vec<String> {
    let rows: Vec<mysql_async::Row> = session
        .query(query)
        .await
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    let shown = |value: Value| match value {
        Value::NULL => "-".to_owned(),
        Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true),
    };
    rows.into_iter()
        .map(|row| {
            let cells: Vec<String> = row.unwrap().into_iter().map(shown).collect();
            cells.join("|")
        })
        .collect()
}
