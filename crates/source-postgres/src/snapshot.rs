//! From a stream to be read to the query that reads it.

use selvedge_connector::{
    ConnectorError, ErrorKind, Field, KeyBound, ReadMethod, StreamRead, TypeFidelity,
};
use selvedge_postgres::{connector_error, quote_identifier, quote_literal, quote_qualified};
use tokio_postgres::Client;

use crate::catalog::{self, Column, Columns, Types};
use crate::types::{KeyKind, Mapping, Wire};

/// How a stream is read.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// `copy (select …) to stdout (format binary)`.
    pub(crate) sql: String,
    /// One for each field of the stream's schema.
    pub(crate) mappings: Vec<Mapping>,
    /// Index and kind of the replication key.
    pub(crate) key: Option<(usize, KeyKind)>,
}

/// Plans the read inside the transaction that will do it. The table is locked against changes of its structure first
/// (the weakest lock there is, the one a SELECT takes), so that what is planned is what comes.
pub(crate) async fn plan(
    client: &Client,
    stream: &StreamRead,
    fidelity: TypeFidelity,
) -> Result<Snapshot, ConnectorError> {
    let (schema, table) = (&stream.location.schema, &stream.location.table);
    let fields = &stream.schema.fields;
    if fields.is_empty() {
        return Err(ConnectorError::configuration("no columns are selected"));
    }
    let names: Vec<String> = fields
        .iter()
        .map(|field| quote_identifier(&field.name))
        .collect();
    let from = quote_qualified(schema, table);
    let lock = format!("select {} from {from}", names.join(", "));
    client
        .prepare(&lock)
        .await
        .map_err(|error| connector_error(&error))?;
    let relation = catalog::find(client, schema, table)
        .await?
        .ok_or_else(|| ConnectorError::configuration("The table does not exist."))?;
    let columns = catalog::columns(client, &[relation], Columns::All).await?;
    let types = Types::load(client, &[relation]).await?;

    let mappings = fields
        .iter()
        .map(|field| mapping(field, column(&columns, &field.name)?, &types, fidelity))
        .collect::<Result<Vec<_>, _>>()?;
    let mut select = format!("select {} from {from}", select_list(&names, &mappings));
    let mut key = None;
    if let ReadMethod::Incremental { key: name, from } = &stream.method {
        let (index, kind) = replication_key(name, fields, &columns, &types)?;
        select.push_str(&order(&names[index], kind, from.as_ref()));
        key = Some((index, kind));
    }
    Ok(Snapshot {
        sql: format!("copy ({select}) to stdout (format binary)"),
        mappings,
        key,
    })
}

fn column<'a>(columns: &'a [Column], name: &str) -> Result<&'a Column, ConnectorError> {
    columns
        .iter()
        .find(|column| column.name == name)
        .ok_or_else(|| ConnectorError::configuration(format!("the column {name} does not exist")))
}

/// The field's mapping, which must still be what discovery said: the destination's table was prepared for it.
fn mapping(
    field: &Field,
    column: &Column,
    types: &Types,
    fidelity: TypeFidelity,
) -> Result<Mapping, ConnectorError> {
    types
        .resolve(column)
        .mapping(fidelity)
        .filter(|mapping| mapping.logical_type == field.logical_type)
        .ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::Data,
                format!(
                    "the column {} has become {} since the structure was read",
                    column.name, column.sql_type
                ),
            )
        })
}

fn replication_key(
    name: &str,
    fields: &[Field],
    columns: &[Column],
    types: &Types,
) -> Result<(usize, KeyKind), ConnectorError> {
    let refused =
        |reason: String| ConnectorError::configuration(format!("replication key {name}: {reason}"));
    let column = columns
        .iter()
        .find(|column| column.name == name)
        .ok_or_else(|| refused("the table has no such column".to_owned()))?;
    let kind = types.resolve(column).key_kind().ok_or_else(|| {
        refused(format!(
            "[{}] is not a supported replication key type",
            column.sql_type
        ))
    })?;
    let index = fields
        .iter()
        .position(|field| field.name == name)
        .ok_or_else(|| refused("the column is not selected".to_owned()))?;
    Ok((index, kind))
}

fn select_list(names: &[String], mappings: &[Mapping]) -> String {
    let expressions: Vec<String> = names
        .iter()
        .zip(mappings)
        .map(|(name, mapping)| match mapping.wire {
            Wire::TextByCast => format!("{name}::pg_catalog.text"),
            Wire::TextByToJson => format!("pg_catalog.to_json({name})::pg_catalog.text"),
            Wire::TextByInetOutput => {
                format!("pg_catalog.textin(pg_catalog.inet_out({name}))")
            }
            _ => name.clone(),
        })
        .collect();
    expressions.join(", ")
}

/// Rows without a key go out before the first position is known, and only in the first job.
fn order(key: &str, kind: KeyKind, from: Option<&KeyBound>) -> String {
    match from {
        None => format!(" order by {key} asc nulls first"),
        Some(KeyBound { value, inclusive }) => format!(
            " where {key} {} {}::{} order by {key} asc",
            if *inclusive { ">=" } else { ">" },
            quote_literal(value),
            kind.sql()
        ),
    }
}

#[cfg(test)]
mod tests {
    use selvedge_connector::LogicalType;

    use super::*;

    #[test]
    fn positions_are_quoted_and_cast() {
        let order = |key, kind, from: Option<(&str, bool)>| {
            let from = from.map(|(value, inclusive)| KeyBound {
                value: value.to_owned(),
                inclusive,
            });
            order(key, kind, from.as_ref())
        };
        assert_eq!(
            order("\"id\"", KeyKind::Int8, Some(("7", true))),
            " where \"id\" >= '7'::pg_catalog.int8 order by \"id\" asc"
        );
        assert_eq!(
            order("\"id\"", KeyKind::Int8, Some(("7", false))),
            " where \"id\" > '7'::pg_catalog.int8 order by \"id\" asc"
        );
        assert_eq!(
            order("\"id\"", KeyKind::Int8, Some(("7' or '1'='1", true))),
            " where \"id\" >= '7'' or ''1''=''1'::pg_catalog.int8 order by \"id\" asc"
        );
        assert_eq!(
            order("\"at\"", KeyKind::Timestamp, None),
            " order by \"at\" asc nulls first"
        );
    }

    #[test]
    fn types_without_a_plain_binary_form_are_cast() {
        let mapping = |wire| Mapping {
            logical_type: LogicalType::Text,
            wire,
        };
        assert_eq!(
            select_list(
                &["\"a\"".to_owned(), "\"b\"".to_owned()],
                &[mapping(Wire::Text), mapping(Wire::TextByCast)]
            ),
            "\"a\", \"b\"::pg_catalog.text"
        );
    }
}
