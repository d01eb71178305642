//! Several servers on one PostgreSQL database: each tells the others when it commits.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;

use crate::commits::Commits;

/// Begins a transaction that tells of itself when it commits: the notification goes out with the commit, and costs no round trip.
pub(crate) const BEGIN: &str = "begin; notify selvedge_commits";

const CHANNEL: &str = "selvedge_commits";

/// Between two attempts to listen.
const RETRY: Duration = Duration::from_secs(1);

/// Counts what anybody commits, until the pool is closed.
pub(crate) async fn listen(pool: PgPool, commits: Commits) {
    loop {
        let lost = follow(&pool, &commits).await;
        commits.set_complete(false);
        if pool.is_closed() {
            return;
        }
        match lost {
            Ok(()) => {
                tracing::debug!("the connection that hears of other servers' writes was lost")
            }
            Err(error) => tracing::warn!(%error, "other servers' writes are not heard of"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Listens until the connection is lost.
async fn follow(pool: &PgPool, commits: &Commits) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    commits.set_complete(true);
    while listener.try_recv().await?.is_some() {
        commits.heard();
    }
    Ok(())
}
