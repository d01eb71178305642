//! Testing the settings: reach the server, log in, list the tables.

use std::time::Duration;

use selvedge_connector::{CheckContext, CheckReport, ConnectorError, ErrorKind, TypeFidelity};
use selvedge_postgres::{PostgresConfig, dial, log_in};

use crate::discover::list;
use crate::guard::guarded;

/// Bounds each step; listing is the slow one.
const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) async fn check(
    config: &PostgresConfig,
    ctx: &CheckContext,
) -> Result<CheckReport, ConnectorError> {
    let mut report = CheckReport::default();

    let step = format!("connect to {}:{}", config.host, config.port);
    let stream = match guarded(&ctx.stop, TIMEOUT, dial(config, &ctx.dialer)).await {
        Ok(stream) => stream,
        Err(error) => {
            return fail(report, step, error, |_| {
                "Check host and port, and that the server's firewall lets this server in."
                    .to_owned()
            });
        }
    };
    report.passed(step);

    let step = format!("log in as {} to {}", config.user, config.database);
    let session = match guarded(&ctx.stop, TIMEOUT, log_in(stream, config, &ctx.dialer)).await {
        Ok(session) => session,
        Err(error) => return fail(report, step, error, |error| login_remedy(error, config)),
    };
    report.passed(step);

    let step = "list tables";
    match guarded(
        &ctx.stop,
        TIMEOUT,
        list(&session, &config.database, TypeFidelity::Stitch),
    )
    .await
    {
        Ok(catalog) => report.passed(format!("{step} ({} readable)", catalog.streams.len())),
        Err(error) if error.kind == ErrorKind::Configuration => {
            return fail(report, step.to_owned(), error, |_| {
                "Take the privilege to read from some tables, or read from another database."
                    .to_owned()
            });
        }
        Err(error) => {
            let error = ConnectorError {
                message: "Could not list databases/tables for connection.".to_owned(),
                detail: Some(error.to_string()),
                ..error
            };
            return fail(report, step.to_owned(), error, |_| {
                format!(
                    "Grant {} USAGE on the schemas and SELECT on the tables to be read.",
                    config.user
                )
            });
        }
    }
    session.close().await;
    Ok(report)
}

/// A stopped check has no result; anything else is the failed step's.
fn fail(
    mut report: CheckReport,
    step: String,
    error: ConnectorError,
    remedy: impl FnOnce(&ConnectorError) -> String,
) -> Result<CheckReport, ConnectorError> {
    if error.kind == ErrorKind::Stopped {
        return Err(error);
    }
    let remedy = remedy(&error);
    report.failed(step, error, Some(remedy));
    Ok(report)
}

fn login_remedy(error: &ConnectorError, config: &PostgresConfig) -> String {
    match error.code.as_deref() {
        Some("28P01") => "Check user and password.".to_owned(),
        Some("28000") => format!(
            "Check that the user exists and that pg_hba.conf lets it in from this server{}.",
            match config.tls {
                Some(_) => "",
                None => " without TLS, or turn ssl on",
            }
        ),
        Some("3D000") => "Check the name of the database.".to_owned(),
        Some("42501") => format!("Grant {} CONNECT on the database.", config.user),
        _ => match &config.tls {
            Some(_) => "Check that the server offers TLS, and try again.".to_owned(),
            None => "Check that a PostgreSQL server listens there, and try again.".to_owned(),
        },
    }
}
