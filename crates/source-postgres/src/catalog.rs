//! The server's own catalogue: relations, columns, types and keys.

use std::collections::HashMap;

use selvedge_connector::{ConnectorError, MAX_STREAMS};
use selvedge_postgres::{Session, connector_error};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::types::{ServerType, oid};

/// Something rows can be selected from.
#[derive(Debug)]
pub(crate) struct Relation {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
    /// `pg_class.relkind`.
    kind: String,
    /// The planner's estimate; negative when the server never counted.
    tuples: f64,
}

impl Relation {
    pub(crate) fn is_view(&self) -> bool {
        matches!(self.kind.as_str(), "v" | "m")
    }

    pub(crate) fn is_partitioned(&self) -> bool {
        self.kind == "p"
    }

    /// Rows by the planner's estimate; views have none.
    pub(crate) fn row_count(&self) -> Option<u64> {
        (self.kind != "v").then_some(self.tuples).and_then(count)
    }
}

/// One column of a relation.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) relation: u32,
    pub(crate) number: i16,
    pub(crate) name: String,
    type_oid: u32,
    modifier: i32,
    /// The type as the server prints it, for example `numeric(12,2)`.
    pub(crate) sql_type: String,
}

/// Which columns are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    Readable,
    All,
}

/// Relations the user may read, in order of schema and name; partitions are part of their root. One more than
/// [`MAX_STREAMS`] at most.
pub(crate) async fn relations(session: &Session) -> Result<Vec<Relation>, ConnectorError> {
    let partitions = if session.server_version() >= 100_000 {
        "and not c.relispartition"
    } else {
        ""
    };
    let sql = format!(
        "select c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.reltuples::float8
           from pg_catalog.pg_class c
           join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p', 'v', 'm', 'f') {partitions}
            and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
            and pg_catalog.has_schema_privilege(n.oid, 'USAGE')
            and (pg_catalog.has_table_privilege(c.oid, 'SELECT')
                 or pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
          order by n.nspname, c.relname
          limit {}",
        MAX_STREAMS + 1
    );
    query(session.client(), &sql, &[])
        .await?
        .iter()
        .map(|row| {
            Ok(Relation {
                oid: get(row, 0)?,
                schema: get(row, 1)?,
                name: get(row, 2)?,
                kind: get(row, 3)?,
                tuples: get(row, 4)?,
            })
        })
        .collect()
}

/// The relation of that name, whatever the user may do with it.
pub(crate) async fn find(
    client: &Client,
    schema: &str,
    table: &str,
) -> Result<Option<u32>, ConnectorError> {
    const SQL: &str = "select c.oid from pg_catalog.pg_class c
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname::text = $1 and c.relname::text = $2";
    query(client, SQL, &[&schema, &table])
        .await?
        .first()
        .map(|row| get(row, 0))
        .transpose()
}

/// Columns of the relations, ordered by relation and position.
pub(crate) async fn columns(
    client: &Client,
    relations: &[u32],
    which: Columns,
) -> Result<Vec<Column>, ConnectorError> {
    let readable = match which {
        Columns::Readable => "and pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')",
        Columns::All => "",
    };
    let sql = format!(
        "select a.attrelid, a.attnum, a.attname::text, a.atttypid, a.atttypmod,
                pg_catalog.format_type(a.atttypid, a.atttypmod)
           from pg_catalog.pg_attribute a
          where a.attrelid = any($1) and a.attnum > 0 and not a.attisdropped {readable}
          order by a.attrelid, a.attnum"
    );
    query(client, &sql, &[&relations])
        .await?
        .iter()
        .map(|row| {
            Ok(Column {
                relation: get(row, 0)?,
                number: get(row, 1)?,
                name: get(row, 2)?,
                type_oid: get(row, 3)?,
                modifier: get(row, 4)?,
                sql_type: get(row, 5)?,
            })
        })
        .collect()
}

/// Primary keys as column positions in key order, by relation.
pub(crate) async fn primary_keys(
    client: &Client,
    relations: &[u32],
) -> Result<HashMap<u32, Vec<i16>>, ConnectorError> {
    const SQL: &str = "select conrelid, conkey from pg_catalog.pg_constraint
        where contype = 'p' and conrelid = any($1)";
    query(client, SQL, &[&relations])
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect()
}

/// Estimated rows of partitioned tables, summed over their partitions; without an entry where none was ever counted.
pub(crate) async fn partitioned_counts(
    client: &Client,
    roots: &[u32],
) -> Result<HashMap<u32, u64>, ConnectorError> {
    const SQL: &str = "with recursive tree (root, relation) as (
            select r, r from unnest($1::pg_catalog.oid[]) r
            union all
            select tree.root, i.inhrelid from tree
              join pg_catalog.pg_inherits i on i.inhparent = tree.relation)
        select tree.root, sum(c.reltuples::float8) from tree
          join pg_catalog.pg_class c on c.oid = tree.relation
         where c.relkind <> 'p' and c.reltuples >= 0
         group by tree.root";
    query(client, SQL, &[&roots])
        .await?
        .iter()
        .map(|row| Ok((get(row, 0)?, get::<f64>(row, 1)?)))
        .filter_map(|entry: Result<(u32, f64), ConnectorError>| match entry {
            Ok((root, tuples)) => Some(Ok((root, count(tuples)?))),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

/// The types that the columns of some relations use, with whatever those are built from.
#[derive(Debug)]
pub(crate) struct Types(HashMap<u32, TypeRow>);

#[derive(Debug)]
struct TypeRow {
    name: String,
    /// `pg_type.typtype`.
    kind: String,
    base: u32,
    base_modifier: i32,
    /// Item type of a true array, else 0.
    item: u32,
}

impl Types {
    pub(crate) async fn load(client: &Client, relations: &[u32]) -> Result<Self, ConnectorError> {
        // `int2vector` and its kin have items too, but print unlike arrays: a true array is what its item type names.
        const SQL: &str = "with recursive used (oid) as (
                select distinct atttypid from pg_catalog.pg_attribute
                 where attrelid = any($1) and attnum > 0 and not attisdropped
                union
                select part.oid from used
                  join pg_catalog.pg_type t on t.oid = used.oid
                  cross join lateral (values (t.typbasetype), (t.typelem)) part (oid)
                 where part.oid <> 0)
            select t.oid, t.typname::text, t.typtype::text, t.typbasetype, t.typtypmod,
                   coalesce(item.oid, 0)
              from used
              join pg_catalog.pg_type t on t.oid = used.oid
              left join pg_catalog.pg_type item on item.oid = t.typelem and item.typarray = t.oid";
        query(client, SQL, &[&relations])
            .await?
            .iter()
            .map(|row| {
                let facts = TypeRow {
                    name: get(row, 1)?,
                    kind: get(row, 2)?,
                    base: get(row, 3)?,
                    base_modifier: get(row, 4)?,
                    item: get(row, 5)?,
                };
                Ok((get(row, 0)?, facts))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The column's type with domains resolved.
    pub(crate) fn resolve(&self, column: &Column) -> ServerType {
        self.resolve_type(column.type_oid, column.modifier)
    }

    fn resolve_type(&self, type_oid: u32, modifier: i32) -> ServerType {
        let Some(facts) = self.0.get(&type_oid) else {
            return ServerType::Other;
        };
        match facts.kind.as_str() {
            // A domain's modifier belongs to its base type; a column of a domain has none of its own.
            "d" if facts.base != type_oid => self.resolve_type(facts.base, facts.base_modifier),
            "e" => ServerType::Enum,
            "b" if facts.item != 0 => {
                ServerType::Array(Box::new(self.resolve_type(facts.item, modifier)))
            }
            "b" if facts.name == "citext" => ServerType::Citext,
            "b" if facts.name == "hstore" => ServerType::Hstore,
            "b" if type_oid < FIRST_USER_OID => ServerType::Builtin {
                oid: type_oid,
                modifier,
            },
            _ => ServerType::Other,
        }
    }
}

/// Identifiers from here on are handed out at run time (`FirstNormalObjectId`).
const FIRST_USER_OID: u32 = 16_384;
const _: () = assert!(oid::JSONB < FIRST_USER_OID);

fn count(tuples: f64) -> Option<u64> {
    // An estimate: what the conversion rounds does not matter.
    (tuples >= 0.0).then_some(tuples as u64)
}

async fn query(
    client: &Client,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, ConnectorError> {
    client
        .query(sql, parameters)
        .await
        .map_err(|error| connector_error(&error))
}

fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    index: usize,
) -> Result<T, ConnectorError> {
    row.try_get(index).map_err(|error| connector_error(&error))
}
