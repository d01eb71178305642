//! What the source offers: every relation the user may read, with its columns, keys and estimates.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use selvedge_connector::{
    Catalog, ConnectorError, DiscoverContext, DiscoveredField, DiscoveredStream, MAX_STREAMS,
    StreamLocation, TypeFidelity,
};
use selvedge_postgres::{PostgresConfig, Session, connect, connector_error};
use selvedge_types::stream::{Inclusion, ReplicationMethod};
use serde_json::Map;

use crate::catalog::{self, Column, Columns, Relation, Types};
use crate::guard::guarded;
use crate::json_schema::json_schema;

/// Catalogues of ten thousand wide tables take seconds; this is for servers that hang.
const TIMEOUT: Duration = Duration::from_secs(600);

pub(crate) async fn discover(
    config: &PostgresConfig,
    ctx: &DiscoverContext,
) -> Result<Catalog, ConnectorError> {
    guarded(&ctx.stop, TIMEOUT, async {
        let session = connect(config, &ctx.dialer).await?;
        let catalog = list(&session, &config.database, ctx.fidelity).await?;
        session.close().await;
        Ok(catalog)
    })
    .await
}

/// Reads the catalogue in one snapshot, so that relations, columns and keys belong together.
pub(crate) async fn list(
    session: &Session,
    database: &str,
    fidelity: TypeFidelity,
) -> Result<Catalog, ConnectorError> {
    let client = session.client();
    client
        .batch_execute("begin isolation level repeatable read read only")
        .await
        .map_err(|error| connector_error(&error))?;
    let relations = catalog::relations(session).await?;
    if relations.len() > MAX_STREAMS {
        return Err(ConnectorError::configuration(
            "Stitch has discovered more than the maximum supported limit of 10,000 tables in your integration.",
        ));
    }
    let oids: Vec<u32> = relations.iter().map(|relation| relation.oid).collect();
    let roots: Vec<u32> = relations
        .iter()
        .filter(|relation| relation.is_partitioned())
        .map(|relation| relation.oid)
        .collect();
    let types = Types::load(client, &oids).await?;
    let mut columns: HashMap<u32, Vec<Column>> = HashMap::new();
    for column in catalog::columns(client, &oids, Columns::Readable).await? {
        columns.entry(column.relation).or_default().push(column);
    }
    let keys = catalog::primary_keys(client, &oids).await?;
    let counts = if roots.is_empty() {
        HashMap::new()
    } else {
        catalog::partitioned_counts(client, &roots).await?
    };
    client
        .batch_execute("commit")
        .await
        .map_err(|error| connector_error(&error))?;
    let streams = relations
        .into_iter()
        .map(|relation| {
            let row_count = if relation.is_partitioned() {
                counts.get(&relation.oid).copied()
            } else {
                relation.row_count()
            };
            let columns = columns.remove(&relation.oid).unwrap_or_default();
            let key = keys.get(&relation.oid).map_or(&[][..], Vec::as_slice);
            DiscoveredStream {
                row_count,
                ..stream(database, &relation, &columns, key, &types, fidelity)
            }
        })
        .collect();
    Ok(Catalog { streams })
}

fn stream(
    database: &str,
    relation: &Relation,
    columns: &[Column],
    key: &[i16],
    types: &Types,
    fidelity: TypeFidelity,
) -> DiscoveredStream {
    let resolved: Vec<_> = columns
        .iter()
        .map(|column| (column, types.resolve(column)))
        .collect();
    // A key that cannot be read whole is no key: its rows could not be told apart.
    let key_columns: Option<Vec<&str>> = key
        .iter()
        .map(|number| {
            let (column, server) = resolved
                .iter()
                .find(|(column, _)| column.number == *number)?;
            server.mapping(fidelity).map(|_| column.name.as_str())
        })
        .collect();
    let key_columns = key_columns.unwrap_or_default();
    let automatic: HashSet<&str> = key_columns.iter().copied().collect();
    let fields = resolved
        .iter()
        .map(|(column, server)| {
            let logical_type = server.mapping(fidelity).map(|mapping| mapping.logical_type);
            let supported = logical_type.is_some();
            DiscoveredField {
                name: column.name.clone(),
                sql_datatype: column.sql_type.clone(),
                inclusion: match supported {
                    false => Inclusion::Unsupported,
                    true if automatic.contains(column.name.as_str()) => Inclusion::Automatic,
                    true => Inclusion::Available,
                },
                logical_type,
                json_schema: json_schema(server, fidelity),
                selected_by_default: supported,
            }
        })
        .collect();
    DiscoveredStream {
        tap_stream_id: format!("{database}-{}-{}", relation.schema, relation.name),
        stream_name: relation.name.clone(),
        location: StreamLocation {
            database: database.to_owned(),
            schema: relation.schema.clone(),
            table: relation.name.clone(),
        },
        is_view: relation.is_view(),
        row_count: None,
        key_properties: key_columns.into_iter().map(str::to_owned).collect(),
        replication_keys: resolved
            .iter()
            .filter(|(_, server)| server.key_kind().is_some())
            .map(|(column, _)| column.name.clone())
            .collect(),
        methods: vec![ReplicationMethod::FullTable, ReplicationMethod::Incremental],
        fields,
        extra_metadata: Map::new(),
    }
}
