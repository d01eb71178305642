//! `postgres://…`, `sqlite:PATH` and `tap:PROGRAM` as connectors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use percent_encoding::percent_decode_str;
use selvedge_connector::{AnySource, ConnectionConfig, Destination};
use selvedge_connectors::{LocalFiles, Registry, SourceFiles};
use serde_json::{Value, json};

use super::tap;
use crate::cli::Fidelity;

/// One end of a one-off copy.
pub(crate) enum Endpoint {
    Postgres {
        host: String,
        port: u16,
        user: String,
        password: String,
        database: String,
        tls: bool,
    },
    Sqlite(PathBuf),
    /// A Singer tap: only to be read.
    Tap(PathBuf),
}

impl Endpoint {
    /// Parses a URL; the error never repeats it, since it may hold a password.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                bail!("name the file: sqlite:PATH");
            }
            return Ok(Endpoint::Sqlite(PathBuf::from(path)));
        }
        if let Some(program) = text.strip_prefix("tap:") {
            if program.is_empty() {
                bail!("name the program: tap:PROGRAM");
            }
            return Ok(Endpoint::Tap(PathBuf::from(program)));
        }
        let url = reqwest::Url::parse(text)
            .context("not a URL of the form postgres://…, sqlite:PATH or tap:PROGRAM")?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            bail!(
                "the scheme {}: is not one of postgres: and sqlite:",
                url.scheme()
            );
        }
        let decode = |part: &str| -> anyhow::Result<String> {
            Ok(percent_decode_str(part)
                .decode_utf8()
                .context("the URL is not UTF-8")?
                .into_owned())
        };
        let user = decode(url.username())?;
        let database = decode(url.path().trim_start_matches('/'))?;
        let mut tls = false;
        for (key, value) in url.query_pairs() {
            match (key.as_ref(), value.as_ref()) {
                ("ssl", "true") | ("sslmode", "require") => tls = true,
                ("ssl", "false") | ("sslmode", "disable" | "prefer" | "allow") => {}
                (other, _) => {
                    bail!("the URL parameter {other} is not supported; use ?ssl=true for TLS")
                }
            }
        }
        if user.is_empty() || database.is_empty() {
            bail!(
                "the URL needs a user and a database: postgres://USER:PASSWORD@HOST:PORT/DATABASE"
            );
        }
        Ok(Endpoint::Postgres {
            host: url
                .host_str()
                .unwrap_or("127.0.0.1")
                .trim_matches(['[', ']'])
                .to_owned(),
            port: url.port().unwrap_or(5432),
            user,
            password: decode(url.password().unwrap_or_default())?,
            database,
            tls,
        })
    }

    /// Schema in the destination when none is named: the database's or file's name, made a valid identifier.
    pub(crate) fn default_schema(&self) -> String {
        let name = match self {
            Endpoint::Postgres { database, .. } => database.clone(),
            Endpoint::Sqlite(path) | Endpoint::Tap(path) => path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
        };
        let mut schema: String = name
            .to_ascii_lowercase()
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c
                } else {
                    '_'
                }
            })
            .take(49)
            .collect();
        if !schema.starts_with(|first: char| first.is_ascii_lowercase() || first == '_') {
            schema.insert(0, '_');
        }
        schema
    }

    /// Properties of a PostgreSQL source as the API takes them.
    pub(crate) fn source_properties(&self) -> anyhow::Result<Value> {
        match self {
            Endpoint::Postgres {
                host,
                port,
                user,
                password,
                database,
                tls,
            } => Ok(json!({
                "host": host, "port": port.to_string(), "user": user, "password": or_unused(password),
                "dbname": database, "ssl": tls.to_string(),
            })),
            Endpoint::Sqlite(_) | Endpoint::Tap(_) => bail!("a postgres:// URL is needed here"),
        }
    }

    /// Properties of a PostgreSQL destination as the API takes them.
    pub(crate) fn destination_properties(&self) -> anyhow::Result<Value> {
        match self {
            Endpoint::Postgres {
                host,
                port,
                user,
                password,
                database,
                tls,
            } => Ok(json!({
                "host": host, "port": port.to_string(), "username": user, "password": or_unused(password),
                "database": database, "ssl": tls.to_string(), "encryption_type": "none",
            })),
            Endpoint::Sqlite(_) | Endpoint::Tap(_) => bail!("a postgres:// URL is needed here"),
        }
    }

    /// The connector that reads this end. `tap_config` is a tap's configuration file.
    pub(crate) async fn source(&self, tap_config: Option<&Path>) -> anyhow::Result<AnySource> {
        let (kind, config, directory) = match self {
            Endpoint::Postgres { .. } => {
                ("platform.postgres", config(self.source_properties()?), None)
            }
            Endpoint::Sqlite(path) => {
                let path = path
                    .canonicalize()
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                let directory = path.parent().map(Path::to_path_buf);
                (
                    "platform.sqlite",
                    config(json!({ "path": path })),
                    directory,
                )
            }
            Endpoint::Tap(program) => return tap::source(program, tap_config),
        };
        let sources = SourceFiles {
            allowed_directories: directory.into_iter().collect(),
            forbidden: Vec::new(),
        };
        let registry = Registry::new(LocalFiles {
            sources,
            warehouses: PathBuf::new(),
            exports: PathBuf::new(),
            spool: PathBuf::new(),
        });
        Ok(registry.source(kind, &config, None).await?)
    }

    /// The connector that writes this end.
    pub(crate) fn destination(&self, fidelity: Fidelity) -> anyhow::Result<Arc<dyn Destination>> {
        let type_fidelity = match fidelity {
            Fidelity::Stitch => "stitch",
            Fidelity::Native => "native",
        };
        match self {
            Endpoint::Postgres { .. } => {
                let mut properties = self.destination_properties()?;
                properties["type_fidelity"] = json!(type_fidelity);
                let config = config(properties);
                let nowhere = SourceFiles {
                    allowed_directories: Vec::new(),
                    forbidden: Vec::new(),
                };
                let registry = Registry::new(LocalFiles {
                    sources: nowhere,
                    warehouses: PathBuf::new(),
                    exports: PathBuf::new(),
                    spool: PathBuf::new(),
                });
                Ok(registry.destination("postgres", selvedge_types::AccountId(0), &config)?)
            }
            Endpoint::Sqlite(path) => Ok(Registry::warehouse_at(
                path.clone(),
                &config(json!({ "type_fidelity": type_fidelity })),
            )?),
            Endpoint::Tap(_) => bail!("a tap can only be read from"),
        }
    }
}

/// Servers that trust the connection ask for no password; the setting still wants a value.
fn or_unused(password: &str) -> &str {
    if password.is_empty() {
        "unused"
    } else {
        password
    }
}

fn config(properties: Value) -> ConnectionConfig {
    match properties {
        Value::Object(properties) => ConnectionConfig::new(properties),
        _ => ConnectionConfig::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_urls_are_decoded() {
        let Endpoint::Postgres {
            host,
            port,
            user,
            password,
            database,
            tls,
        } = Endpoint::parse("postgres://us%40er:p%3Aw@db.example:6543/shop?ssl=true").unwrap()
        else {
            panic!("not a PostgreSQL endpoint");
        };
        assert_eq!(
            (host.as_str(), port, user.as_str()),
            ("db.example", 6543, "us@er")
        );
        assert_eq!(
            (password.as_str(), database.as_str(), tls),
            ("p:w", "shop", true)
        );
    }

    #[test]
    fn unusable_urls_are_refused_without_repeating_the_password() {
        for bad in [
            "",
            "shop",
            "mysql://u:secret@h/d",
            "postgres://h/d",
            "postgres://u:secret@h/d?x=1",
            "sqlite:",
        ] {
            let error = Endpoint::parse(bad).err().map(|error| format!("{error:#}"));
            let error = error.unwrap_or_else(|| panic!("{bad:?} parsed"));
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_default_schema_is_a_valid_name() {
        assert_eq!(
            Endpoint::Sqlite("/x/My Shop-1.db".into()).default_schema(),
            "my_shop_1"
        );
        assert_eq!(Endpoint::Sqlite("1.db".into()).default_schema(), "_1");
    }
}
