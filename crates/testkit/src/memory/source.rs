//! Streams that are record batches in memory.

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use selvedge_connector::{
    Capabilities, Catalog, CheckContext, CheckReport, ConnectorError, DiscoverContext,
    DiscoveredField, DiscoveredStream, EventSender, ReadContext, ReadMethod, Source, SourceBatch,
    SourceEvent, StreamLocation, StreamRead, StreamSchema,
};
use selvedge_types::stream::{Inclusion, ReplicationMethod};

/// One stream. Its `tap_stream_id` is `memory-main-<name>`.
#[derive(Clone, Debug)]
pub struct MemoryStream {
    pub name: String,
    pub schema: Arc<StreamSchema>,
    /// Key fields; empty for none.
    pub key: Vec<String>,
    /// Emitted as they are, one event each.
    pub batches: Vec<RecordBatch>,
}

impl MemoryStream {
    pub fn tap_stream_id(&self) -> String {
        format!("memory-main-{}", self.name)
    }

    fn discovered(&self) -> DiscoveredStream {
        let fields = self.schema.fields.iter().map(|field| DiscoveredField {
            name: field.name.clone(),
            sql_datatype: format!("{:?}", field.logical_type),
            inclusion: if self.key.contains(&field.name) {
                Inclusion::Automatic
            } else {
                Inclusion::Available
            },
            logical_type: Some(field.logical_type.clone()),
            json_schema: serde_json::json!({}),
            selected_by_default: true,
        });
        DiscoveredStream {
            tap_stream_id: self.tap_stream_id(),
            stream_name: self.name.clone(),
            location: StreamLocation {
                database: "memory".to_owned(),
                schema: "main".to_owned(),
                table: self.name.clone(),
            },
            is_view: false,
            row_count: None,
            key_properties: self.key.clone(),
            replication_keys: Vec::new(),
            methods: vec![ReplicationMethod::FullTable],
            fields: fields.collect(),
            extra_metadata: serde_json::Map::new(),
        }
    }
}

/// Reads full tables only.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    pub streams: Vec<MemoryStream>,
}

#[async_trait]
impl Source for MemorySource {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            full_table: true,
            ..Capabilities::default()
        }
    }

    async fn check(&self, _: &CheckContext) -> Result<CheckReport, ConnectorError> {
        let mut report = CheckReport::default();
        report.passed("look into memory");
        Ok(report)
    }

    async fn discover(&self, _: &DiscoverContext) -> Result<Catalog, ConnectorError> {
        Ok(Catalog {
            streams: self.streams.iter().map(MemoryStream::discovered).collect(),
        })
    }

    async fn read(
        &self,
        ctx: ReadContext,
        stream: StreamRead,
        out: EventSender,
    ) -> Result<(), ConnectorError> {
        if stream.method != ReadMethod::FullTable {
            return Err(ConnectorError::configuration(
                "the memory source reads full tables only",
            ));
        }
        let found = self
            .streams
            .iter()
            .find(|known| known.tap_stream_id() == stream.tap_stream_id)
            .ok_or_else(|| ConnectorError::configuration("there is no such stream"))?;
        let columns = stream
            .schema
            .fields
            .iter()
            .map(|field| {
                found.schema.index_of(&field.name).ok_or_else(|| {
                    ConnectorError::configuration(format!("there is no field {}", field.name))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        for batch in &found.batches {
            if ctx.stop.is_cancelled() {
                return Err(ConnectorError::stopped());
            }
            let records = batch
                .project(&columns)
                .map_err(|error| ConnectorError::internal(error.to_string()))?;
            out.send(SourceEvent::Batch(SourceBatch {
                schema: Arc::clone(&stream.schema),
                records,
            }))
            .await?;
        }
        Ok(())
    }
}
