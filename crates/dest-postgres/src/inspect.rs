//! What a table looks like in the destination right now.

use selvedge_connector::ConnectorError;
use selvedge_shape::{ExistingColumn, ExistingTable};

use crate::link::{Link, get};
use crate::types::column_type;

/// A table that is there.
#[derive(Clone, Debug)]
pub(crate) struct FoundTable {
    pub(crate) existing: ExistingTable,
    pub(crate) primary_key: Option<PrimaryKey>,
}

/// A primary-key constraint.
#[derive(Clone, Debug)]
pub(crate) struct PrimaryKey {
    pub(crate) constraint: String,
    pub(crate) columns: Vec<String>,
}

impl PrimaryKey {
    /// Keys are sets of names: their order does not matter.
    pub(crate) fn covers(&self, columns: &[&str]) -> bool {
        self.columns.len() == columns.len()
            && columns
                .iter()
                .all(|name| self.columns.iter().any(|column| column == name))
    }
}

pub(crate) async fn find_table(
    link: &Link,
    schema: &str,
    table: &str,
) -> Result<Option<FoundTable>, ConnectorError> {
    let relations = link
        .query(
            "select c.oid, c.relkind::text as kind, c.relnatts::int4 as slots
             from pg_catalog.pg_class c
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             where n.nspname = $1 and c.relname = $2",
            &[&schema, &table],
        )
        .await?;
    let Some(relation) = relations.first() else {
        return Ok(None);
    };
    let kind: String = get(relation, "kind")?;
    if !matches!(kind.as_str(), "r" | "p") {
        return Err(ConnectorError::table(format!(
            "{schema}.{table} exists in the destination and is not a table: rename or drop it"
        )));
    }
    let oid: u32 = get(relation, "oid")?;
    let slots: i32 = get(relation, "slots")?;
    // `to_jsonb` because the two catalogue columns are younger than the oldest server we serve.
    let columns = link
        .query(
            "select a.attname::text as name,
                    pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
                    coalesce(to_jsonb(a) ->> 'attgenerated', '') <> ''
                      or coalesce(to_jsonb(a) ->> 'attidentity', '') = 'a' as computed
             from pg_catalog.pg_attribute a
             where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
             order by a.attnum",
            &[&oid],
        )
        .await?;
    let columns = columns
        .iter()
        .map(|row| {
            let type_name: String = get(row, "type")?;
            let computed: bool = get(row, "computed")?;
            Ok(ExistingColumn {
                name: get(row, "name")?,
                column_type: column_type(&type_name).filter(|_| !computed),
            })
        })
        .collect::<Result<Vec<_>, ConnectorError>>()?;
    let keys = link
        .query(
            "select con.conname::text as name,
                    array(
                      select a.attname::text
                      from unnest(con.conkey) with ordinality as k (number, place)
                      join pg_catalog.pg_attribute a on a.attrelid = con.conrelid and a.attnum = k.number
                      order by k.place
                    ) as columns
             from pg_catalog.pg_constraint con
             where con.conrelid = $1 and con.contype = 'p'",
            &[&oid],
        )
        .await?;
    let primary_key = match keys.first() {
        Some(row) => Some(PrimaryKey {
            constraint: get(row, "name")?,
            columns: get(row, "columns")?,
        }),
        None => None,
    };
    Ok(Some(FoundTable {
        existing: ExistingTable {
            columns,
            used_slots: usize::try_from(slots).unwrap_or_default(),
        },
        primary_key,
    }))
}
