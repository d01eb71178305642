//! Testing a destination's settings: what a load will need, and nothing is left behind.
//!
//! The servers have no question for "may I": grants come by pattern and by role. So the rights are tried out, on a database
//! with a name of its own that goes again.

use bytes::Bytes;
use selvedge_connector::{CheckContext, CheckReport, ConnectorError, ErrorKind};
use tokio_util::sync::CancellationToken;

use crate::config::MysqlConfig;
use crate::error::{ACCESS_DENIED, NEEDS_TLS};
use crate::link::{Link, get};
use crate::sql::{quote_identifier, quote_qualified};

const GRANT: &str = "GRANT CREATE, ALTER, DROP, INDEX, SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON *.* TO";

/// Connects, and tries the rights of the user. `Err` is for a check that was stopped.
pub(crate) async fn check(
    config: &MysqlConfig,
    ctx: &CheckContext,
) -> Result<CheckReport, ConnectorError> {
    let mut report = CheckReport::default();
    let step = format!("connect to {}:{}", config.host, config.port);
    let connected = tokio::select! {
        biased;
        () = ctx.stop.cancelled() => return Err(ConnectorError::stopped()),
        // The rest is not stopped half way: it takes milliseconds, and would leave its database behind.
        connected = Box::pin(Link::open(config, &ctx.dialer, CancellationToken::new())) => connected,
    };
    let mut link = match connected {
        Ok(link) => link,
        Err(error) => {
            let error = for_want_of_tls(config, ctx, error).await;
            let remedy = connect_remedy(&error);
            report.failed(step, error, remedy);
            return Ok(report);
        }
    };
    report.passed(step);
    examine(&mut link, config, &mut report).await;
    link.close().await;
    Ok(report)
}

/// A login that was refused because it was not encrypted, in the words for a wrong password: the same login with TLS tells.
async fn for_want_of_tls(
    config: &MysqlConfig,
    ctx: &CheckContext,
    error: ConnectorError,
) -> ConnectorError {
    if config.tls || error.code.as_deref() != Some(ACCESS_DENIED) {
        return error;
    }
    let encrypted = MysqlConfig {
        tls: true,
        ..config.clone()
    };
    match Box::pin(Link::open(&encrypted, &ctx.dialer, ctx.stop.clone())).await {
        Ok(link) => {
            link.close().await;
            let told = ConnectorError::configuration(NEEDS_TLS);
            told.with_detail(error.detail.unwrap_or(error.message))
        }
        Err(_) => error,
    }
}

/// Goes through the steps until one fails.
async fn examine(link: &mut Link, config: &MysqlConfig, report: &mut CheckReport) {
    let step = "check the server's version";
    if let Err(error) = link.server().require_supported() {
        return report.failed(step, error, None);
    }
    report.passed(step);

    let step = "check that the server can be written";
    match is_read_only(link).await {
        Err(error) => return report.failed(step, error, None),
        Ok(true) => {
            let error = ConnectorError::configuration("the server is read-only");
            let remedy = "Connect to the primary server, not to a replica.".to_owned();
            return report.failed(step, error, Some(remedy));
        }
        Ok(false) => report.passed(step),
    }

    let database = format!("selvedge_check_{}", uuid::Uuid::new_v4().simple());
    let step = "check that databases can be created";
    let create = format!(
        "create database {} default character set utf8mb4",
        quote_identifier(&database)
    );
    if let Err(error) = link.execute(&create).await {
        let remedy = rights_remedy(&error, config);
        return report.failed(step, error, remedy);
    }
    report.passed(step);

    let tried = try_loading(link, config, &database, report).await;
    let drop = format!("drop database {}", quote_identifier(&database));
    let dropped = link.execute(&drop).await;
    if tried.is_none() {
        return;
    }
    let step = "check that databases and tables can be dropped";
    match dropped {
        Ok(()) => report.passed(step),
        Err(error) => {
            let remedy = format!(
                "The empty database {database} was left behind by this check. {}",
                rights_remedy(&error, config).unwrap_or_default()
            );
            report.failed(step, error, Some(remedy));
        }
    }
}

async fn is_read_only(link: &mut Link) -> Result<bool, ConnectorError> {
    let row = link
        .query_one("select @@global.read_only as read_only", vec![])
        .await?;
    // MariaDB 12 has several ways of saying yes.
    let text: String = get(&row, "read_only")?;
    Ok(!matches!(text.to_ascii_uppercase().as_str(), "0" | "OFF"))
}

/// What a load does, in short: a table, a temporary table, rows from here. `None` when a step failed.
async fn try_loading(
    link: &mut Link,
    config: &MysqlConfig,
    database: &str,
    report: &mut CheckReport,
) -> Option<()> {
    let (table, stage) = (
        quote_qualified(database, "t"),
        quote_qualified(database, "s"),
    );
    let create = format!(
        "create table {table} (id varchar(768) character set utf8mb4 collate {} primary key) engine = InnoDB",
        link.server().key_collation()
    );
    let steps = [
        ("check that tables can be created", create),
        (
            "check that tables can be altered",
            format!("alter table {table} add column x json"),
        ),
        (
            "check that temporary tables can be created",
            format!("create temporary table {stage} (id int primary key) engine = InnoDB"),
        ),
    ];
    for (step, statement) in steps {
        if let Err(error) = link.execute(&statement).await {
            let remedy = rights_remedy(&error, config);
            report.failed(step, error, remedy);
            return None;
        }
        report.passed(step);
    }
    let step = "check that rows can be sent with LOAD DATA LOCAL INFILE";
    if let Err(error) = link.load(&stage, "id", Bytes::from_static(b"1\n")).await {
        let remedy = rights_remedy(&error, config);
        report.failed(step, error, remedy);
        return None;
    }
    report.passed(step);
    Some(())
}

/// Only for a missing right; other sentences say what to do themselves.
fn rights_remedy(error: &ConnectorError, config: &MysqlConfig) -> Option<String> {
    (error.kind == ErrorKind::Permission)
        .then(|| format!("Run: {GRANT} {};", quote_identifier(&config.user)))
}

fn connect_remedy(error: &ConnectorError) -> Option<String> {
    let remedy = match error.kind {
        ErrorKind::Authentication => {
            "Check the username and the password, and that the user may log in from this server."
        }
        ErrorKind::Configuration => return None,
        _ => "Check host and port, and that firewalls let this server through.",
    };
    Some(remedy.to_owned())
}
