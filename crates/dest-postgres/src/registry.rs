//! The table `_sdc_selvedge_subtables`: which tables hold the items of which table's arrays.
//!
//! Names alone do not tell: `orders__items` may hold the arrays `items` of `orders`, or be a stream of its own.

use selvedge_connector::ConnectorError;
use selvedge_postgres::quote_qualified;
use selvedge_shape::system::SUBTABLES_TABLE;

use crate::commits::lock_creation;
use crate::link::{Link, get};

/// What the register says about a table's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// No subtable of anybody.
    Nobody,
    /// A subtable of this table.
    Root(String),
}

async fn exists(link: &Link, schema: &str) -> Result<bool, ConnectorError> {
    let row = link
        .query_one(
            "select exists (
               select from pg_catalog.pg_class c
               join pg_catalog.pg_namespace n on n.oid = c.relnamespace
               where n.nspname = $1 and c.relname = $2
             ) as found",
            &[&schema, &SUBTABLES_TABLE],
        )
        .await?;
    get(&row, "found")
}

/// The subtables of `root` that are there, in the order of their names.
pub(crate) async fn subtables_of(
    link: &Link,
    schema: &str,
    root: &str,
) -> Result<Vec<String>, ConnectorError> {
    if !exists(link, schema).await? {
        return Ok(Vec::new());
    }
    let rows = link
        .query(
            &format!(
                "select s.table_name
                 from {} s
                 join pg_catalog.pg_class c on c.relname = s.table_name and c.relkind in ('r', 'p')
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = $1
                 where s.root_name = $2
                 order by s.table_name",
                quote_qualified(schema, SUBTABLES_TABLE)
            ),
            &[&schema, &root],
        )
        .await?;
    rows.iter().map(|row| get(row, "table_name")).collect()
}

/// Whose subtable `table` is.
pub(crate) async fn owner_of(
    link: &Link,
    schema: &str,
    table: &str,
) -> Result<Owner, ConnectorError> {
    if !exists(link, schema).await? {
        return Ok(Owner::Nobody);
    }
    let rows = link
        .query(
            &format!(
                "select root_name from {} where table_name = $1",
                quote_qualified(schema, SUBTABLES_TABLE)
            ),
            &[&table],
        )
        .await?;
    match rows.first() {
        None => Ok(Owner::Nobody),
        Some(row) => get(row, "root_name").map(Owner::Root),
    }
}

/// Enters `table` as a subtable of `root`, as part of the open transaction.
pub(crate) async fn register(
    link: &Link,
    schema: &str,
    table: &str,
    root: &str,
) -> Result<(), ConnectorError> {
    let register = quote_qualified(schema, SUBTABLES_TABLE);
    link.execute(&format!(
        "{} create table if not exists {register} (table_name text primary key, root_name text not null)",
        lock_creation(schema)
    ))
    .await?;
    link.count(
        &format!(
            "insert into {register} (table_name, root_name) values ($1, $2)
             on conflict (table_name) do update set root_name = excluded.root_name"
        ),
        &[&table, &root],
    )
    .await?;
    Ok(())
}

/// Strikes `table` out, as part of the open transaction.
pub(crate) async fn strike_out(
    link: &Link,
    schema: &str,
    table: &str,
) -> Result<(), ConnectorError> {
    let register = quote_qualified(schema, SUBTABLES_TABLE);
    link.count(
        &format!("delete from {register} where table_name = $1"),
        &[&table],
    )
    .await?;
    Ok(())
}
