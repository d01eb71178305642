//! Testing a destination's settings: what a load will need, and nothing is left behind.

use selvedge_connector::{CheckContext, CheckReport, ConnectorError, ErrorKind};
use selvedge_postgres::{PostgresConfig, connect};

use crate::link::{Link, get};

/// `insert … on conflict` came with 9.5.
const OLDEST_SERVER: u32 = 90_500;

/// Connects, and asks the server for the rights of the user. `Err` is for a check that was stopped.
pub(crate) async fn check(
    config: &PostgresConfig,
    ctx: &CheckContext,
) -> Result<CheckReport, ConnectorError> {
    let mut report = CheckReport::default();
    let step = format!("connect to {}:{}", config.host, config.port);
    let connected = tokio::select! {
        biased;
        () = ctx.stop.cancelled() => return Err(ConnectorError::stopped()),
        connected = Box::pin(connect(config, &ctx.dialer)) => connected,
    };
    let link = match connected {
        Ok(session) => Link::new(session, ctx.stop.clone()),
        Err(error) => {
            let remedy = connect_remedy(&error);
            report.failed(step, error, remedy);
            return Ok(report);
        }
    };
    report.passed(step);
    match examine(&link, &mut report).await {
        Err(error) if error.kind == ErrorKind::Stopped => return Err(error),
        Err(error) => report.failed("ask the server for the user's rights", error, None),
        Ok(()) => {}
    }
    link.close().await;
    Ok(report)
}

async fn examine(link: &Link, report: &mut CheckReport) -> Result<(), ConnectorError> {
    let step = "check the server's version";
    if link.server_version() < OLDEST_SERVER {
        let error = ConnectorError::configuration("the server is older than PostgreSQL 9.5");
        report.failed(step, error, None);
        return Ok(());
    }
    report.passed(step);
    let row = link
        .query_one(
            "select current_user::text as \"user\",
                    current_database()::text as database,
                    pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as read_only,
                    has_database_privilege(current_database(), 'CREATE') as may_create,
                    has_database_privilege(current_database(), 'TEMP') as may_stage",
            &[],
        )
        .await?;
    let (user, database): (String, String) = (get(&row, "user")?, get(&row, "database")?);
    let step = "check that the database can be written";
    if get(&row, "read_only")? {
        let error = ConnectorError::configuration("the server is read-only");
        let remedy = "Connect to the primary server, not to a replica.".to_owned();
        report.failed(step, error, Some(remedy));
        return Ok(());
    }
    report.passed(step);
    for (step, right, held) in [
        ("check that schemas can be created", "CREATE", "may_create"),
        (
            "check that temporary tables can be created",
            "TEMPORARY",
            "may_stage",
        ),
    ] {
        if !get::<bool>(&row, held)? {
            let error = ConnectorError::new(
                ErrorKind::Permission,
                format!("the user {user} has no {right} right on the database {database}"),
            );
            let remedy = format!(
                "Run: GRANT {right} ON DATABASE {} TO {};",
                selvedge_postgres::quote_identifier(&database),
                selvedge_postgres::quote_identifier(&user)
            );
            report.failed(step, error, Some(remedy));
            return Ok(());
        }
        report.passed(step);
    }
    Ok(())
}

fn connect_remedy(error: &ConnectorError) -> Option<String> {
    let remedy = match (error.kind, error.code.as_deref()) {
        (ErrorKind::Authentication, _) => {
            "Check the username and the password, and that pg_hba.conf lets this server in."
        }
        (_, Some("3D000")) => "Check the name of the database.",
        (ErrorKind::Configuration, _) => return None,
        _ => "Check host and port, and that firewalls let this server through.",
    };
    Some(remedy.to_owned())
}
