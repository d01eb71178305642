//! What a table looks like in the destination right now.

use mysql_async::Value;
use selvedge_connector::ConnectorError;
use selvedge_shape::{ColumnType, ExistingColumn, ExistingTable};

use crate::key::{Key, KeyColumn};
use crate::link::{Link, get};
use crate::types::column_type;

/// A table that is there.
#[derive(Clone, Debug)]
pub(crate) struct FoundTable {
    pub(crate) existing: ExistingTable,
    /// Empty when the table has none.
    pub(crate) key: Key,
}

/// A view, or a table whose engine knows no transactions, is refused: what is promised cannot be kept there.
pub(crate) async fn find_table(
    link: &mut Link,
    schema: &str,
    table: &str,
) -> Result<Option<FoundTable>, ConnectorError> {
    let place = || vec![Value::from(schema), Value::from(table)];
    let tables = link
        .query(
            "select table_type as type, coalesce(engine, '') as engine from information_schema.tables
             where table_schema = ? and table_name = ?",
            place(),
        )
        .await?;
    let Some(row) = tables.first() else {
        return Ok(None);
    };
    let (kind, engine): (String, String) = (get(row, "type")?, get(row, "engine")?);
    if kind != "BASE TABLE" || !engine.eq_ignore_ascii_case("InnoDB") {
        return Err(ConnectorError::table(format!(
            "{schema}.{table} exists in the destination and is not an InnoDB table: rename or drop it"
        )));
    }
    let json = json_columns(link, schema, table).await?;
    let primary = link
        .query(
            "select column_name as name, coalesce(sub_part, 0) as part from information_schema.statistics
             where table_schema = ? and table_name = ? and index_name = 'PRIMARY'
             order by seq_in_index",
            place(),
        )
        .await?;
    let mut key_names = Vec::new();
    for row in &primary {
        key_names.push((get::<String>(row, "name")?, get::<i64>(row, "part")? == 0));
    }
    let columns = link
        .query(
            "select column_name as name, lower(column_type) as type, coalesce(collation_name, '') as collation,
                    cast(coalesce(character_maximum_length, 0) as signed) as characters, lower(extra) as extra
             from information_schema.columns
             where table_schema = ? and table_name = ?
             order by ordinal_position",
            place(),
        )
        .await?;
    let collation = link.server().key_collation();
    let mut found = FoundTable {
        existing: ExistingTable::default(),
        key: Key::default(),
    };
    let mut lengths = Vec::new();
    for row in &columns {
        let name: String = get(row, "name")?;
        let type_name: String = get(row, "type")?;
        let exact = get::<String>(row, "collation")? == collation;
        let whole = key_names.iter().any(|(key, whole)| *key == name && *whole);
        let computed = get::<String>(row, "extra")?.contains("generated");
        let column_type = match column_type(&type_name) {
            _ if computed => None,
            Some(ColumnType::Text) if json.contains(&name) => Some(ColumnType::Json),
            Some(known) => Some(known),
            // Texts are limited in keys alone.
            None if whole && exact && type_name.starts_with("varchar(") => {
                let characters: i64 = get(row, "characters")?;
                lengths.push((
                    name.clone(),
                    usize::try_from(characters).unwrap_or_default(),
                ));
                Some(ColumnType::Text)
            }
            None => None,
        };
        found
            .existing
            .columns
            .push(ExistingColumn { name, column_type });
    }
    found.existing.used_slots = found.existing.columns.len();
    found.key.columns = key_names
        .into_iter()
        .map(|(name, _)| KeyColumn {
            characters: lengths
                .iter()
                .find(|(text, _)| *text == name)
                .map(|(_, characters)| *characters),
            name,
        })
        .collect();
    Ok(Some(found))
}

/// MariaDB has no JSON of its own: `JSON` is `LONGTEXT` with a check, which tells such a column from a text.
async fn json_columns(
    link: &mut Link,
    schema: &str,
    table: &str,
) -> Result<Vec<String>, ConnectorError> {
    if !link.server().mariadb {
        return Ok(Vec::new());
    }
    let rows = link
        .query(
            "select constraint_name as name from information_schema.check_constraints
             where constraint_schema = ? and table_name = ?
               and check_clause = concat('json_valid(`', constraint_name, '`)')",
            vec![Value::from(schema), Value::from(table)],
        )
        .await?;
    rows.iter().map(|row| get(row, "name")).collect()
}
