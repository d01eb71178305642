//! Building the key of a table that was filled without one.

use selvedge_connector::ConnectorError;
use selvedge_shape::system::SEQUENCE;

use crate::ddl;
use crate::link::{Link, get};

/// SQLSTATE of rows that are not unique.
pub(crate) const UNIQUE_VIOLATION: &str = "23505";

/// Makes `key` the primary key of `table`, a quoted name, inside the open transaction. Where several rows share a key, the
/// one with the greatest sequence stays. The answer counts the removed rows whose sequence is `first_sequence` or greater.
pub(crate) async fn build_key(
    link: &Link,
    table: &str,
    key: &[&str],
    first_sequence: i64,
) -> Result<u64, ConnectorError> {
    let statement = ddl::add_key(table, key);
    if link.attempt(&statement, UNIQUE_VIOLATION).await? {
        return Ok(0);
    }
    let key = ddl::column_list(key.iter().copied());
    let row = link
        .query_one(
            &format!(
                "with ranked as (
                   select ctid as place,
                          row_number() over (partition by {key} order by {SEQUENCE} desc nulls last, ctid desc) as rank
                   from {table}
                 ), removed as (
                   delete from {table}
                   where ctid = any (array(select place from ranked where rank > 1))
                   returning {SEQUENCE} as sequence
                 )
                 select count(*) as removed from removed where sequence >= $1"
            ),
            &[&first_sequence],
        )
        .await?;
    link.execute(&statement).await?;
    let removed: i64 = get(&row, "removed")?;
    Ok(removed.unsigned_abs())
}
