//! Saboteurs between the workload and a destination in memory: the oracle catches each lie.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use selvedge_connector::{
    Checkpoint, ConnectorError, Destination, Field, Instants, LoadContext, LoadMode, LogicalType,
    ReadContext, ReadMethod, Sequences, ShapedBatch, Source, SourceEvent, StreamIdentity,
    StreamRead, StreamSchema, SystemValues, TableTarget, TypeFidelity, event_channel,
};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_types::{Clock, Timestamp};

use super::*;
use crate::clock::FakeClock;
use crate::memory::{MemoryDestination, MemorySource, MemoryStream};
use crate::workload::{
    DeliveredRow, Promise, TableKind, Violation, Violations, Workload, WorkloadDatabase,
    WorkloadTable, row_check,
};

/// Takes the statements and holds nothing: the rows are known anyway.
struct Nowhere;

#[async_trait]
impl WorkloadDatabase for Nowhere {
    async fn execute(&mut self, _: &str) -> anyhow::Result<()> {
        Ok(())
    }
}

const ROWS: i64 = 25;

/// A workload with rows 1 to 25, and a source that emits them in batches of ten.
async fn workload_and_source(kind: TableKind) -> (Workload, MemorySource) {
    let mut workload = Workload::new(1, vec![WorkloadTable::new("orders", kind)]);
    workload.fill(&mut Nowhere, ROWS as usize).await.unwrap();
    let field = |name: &str, logical_type| Field::new(name, logical_type);
    let schema = StreamSchema::new(vec![
        field("row_table", LogicalType::Text),
        field("row_key", LogicalType::Int64),
        field("row_version", LogicalType::Int64),
        field("row_check", LogicalType::Text),
    ]);
    let keys: Vec<i64> = (1..=ROWS).collect();
    let batches = keys.chunks(10).map(|keys| {
        let checks = keys.iter().map(|key| row_check("orders", *key, *key));
        RecordBatch::try_new(
            schema.arrow_schema(),
            vec![
                Arc::new(StringArray::from_iter_values(keys.iter().map(|_| "orders"))),
                Arc::new(Int64Array::from(keys.to_vec())),
                Arc::new(Int64Array::from(keys.to_vec())),
                Arc::new(StringArray::from_iter_values(checks)),
            ],
        )
        .unwrap()
    });
    let source = MemorySource {
        streams: vec![MemoryStream {
            name: "orders".to_owned(),
            batches: batches.collect(),
            key: Vec::new(),
            schema,
        }],
    };
    (workload, source)
}

/// The least engine that can be: numbers the rows, commits after each batch. Returns the rows on the books.
async fn replicate(
    source: &dyn Source,
    schema: &Arc<StreamSchema>,
    destination: &dyn Destination,
    key: &[&str],
) -> Result<u64, ConnectorError> {
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::at("2031-01-01T00:00:00Z"));
    let dialer = Dialer::new(NetworkPolicy::default(), Duration::from_secs(1));
    let stop = tokio_util::sync::CancellationToken::new();
    let target = TableTarget {
        identity: StreamIdentity {
            source_id: 1,
            tap_stream_id: "memory-main-orders".to_owned(),
            epoch: 1,
        },
        schema_name: "shop".to_owned(),
        table_name: "orders".to_owned(),
        schema: Arc::clone(schema),
        key: key.iter().map(|&name| name.to_owned()).collect(),
        mode: LoadMode::Replace,
        table_version: 1,
    };
    let load = LoadContext {
        dialer: dialer.clone(),
        clock: Arc::clone(&clock),
        stop: stop.clone(),
        fence: 1,
        run_seed: 1,
    };
    let mut writer = destination.open(load, target).await?;
    let ctx = ReadContext {
        dialer,
        clock,
        stop,
        fidelity: TypeFidelity::Stitch,
        batch_bytes: 1 << 20,
        batch_rows: 10,
    };
    let read = StreamRead {
        tap_stream_id: "memory-main-orders".to_owned(),
        location: selvedge_connector::StreamLocation {
            database: "memory".to_owned(),
            schema: "main".to_owned(),
            table: "orders".to_owned(),
        },
        schema: Arc::clone(schema),
        method: ReadMethod::FullTable,
    };
    let (sender, mut events) = event_channel(1);
    let write = async {
        let (mut sequence, mut total) = (1, 0);
        let mut checkpoint = Checkpoint {
            number: 0,
            position: None,
        };
        while let Some(event) = events.recv().await {
            let SourceEvent::Batch(batch) = event else {
                continue;
            };
            let rows = batch.records.num_rows() as i64;
            let instant = Timestamp::from_micros(0);
            let system = SystemValues {
                extracted_at: Instants::Same(Some(instant)),
                received_at: Instants::Same(Some(instant)),
                batched_at: instant,
                sequences: Sequences::From(sequence),
                table_version: 1,
            };
            sequence += rows;
            let (schema, records) = (batch.schema, batch.records);
            writer
                .write(ShapedBatch::of_columns(schema, records, system))
                .await?;
            checkpoint.number += 1;
            total += writer.commit(checkpoint.clone()).await?.books.total();
        }
        checkpoint.number += 1;
        total += writer.finish(checkpoint).await?.books.total();
        Ok(total)
    };
    let (read, written) = tokio::join!(source.read(ctx, read, sender), write);
    read.and(written)
}

/// Runs with a fault in the destination and returns the books' total with the oracle's verdict.
async fn with_destination_fault(
    kind: TableKind,
    fault: DestinationFault,
) -> Result<(u64, Result<(), Violations>), ConnectorError> {
    let (workload, source) = workload_and_source(kind).await;
    let memory = MemoryDestination::default();
    let destination = SabotagedDestination::new(Arc::new(memory.clone()), fault);
    let key: &[&str] = match kind {
        TableKind::Keyless => &[],
        _ => &["row_key"],
    };
    let schema = &source.streams[0].schema;
    let total = replicate(&source, schema, &destination, key).await?;
    Ok((total, verdict(&workload, &memory)))
}

fn verdict(workload: &Workload, memory: &MemoryDestination) -> Result<(), Violations> {
    let rows: Vec<DeliveredRow> = memory.delivered("shop.orders");
    workload.verify("orders", Promise::Mirror, workload.now(), &rows)
}

#[tokio::test]
async fn without_a_reached_fault_everything_arrives() {
    for kind in [TableKind::Keyed, TableKind::Keyless] {
        let fault = DestinationFault::Row(RowFault::Drop(1_000));
        let (total, verdict) = with_destination_fault(kind, fault).await.unwrap();
        assert_eq!(total, 25);
        verdict.unwrap();
    }
}

#[tokio::test]
async fn a_row_dropped_by_the_destination_is_caught_although_the_books_balance() {
    for number in [1, 10, 11, 17, 25] {
        let fault = DestinationFault::Row(RowFault::Drop(number));
        let (total, verdict) = with_destination_fault(TableKind::Keyed, fault)
            .await
            .unwrap();
        assert_eq!(total, 25, "the saboteur covers up");
        let violations = verdict.expect_err("a row is missing").violations;
        let (key, expected) = (number as i64, vec![number as i64]);
        assert_eq!(violations, [Violation::Gap { key, expected }]);
    }
}

#[tokio::test]
async fn a_row_doubled_by_the_destination_is_caught_in_a_keyless_table_and_harmless_in_a_keyed_one()
{
    for number in [1, 10, 11, 25] {
        let fault = DestinationFault::Row(RowFault::Double(number));
        let (total, verdict) = with_destination_fault(TableKind::Keyless, fault)
            .await
            .unwrap();
        assert_eq!(total, 25, "the saboteur covers up");
        let violations = verdict.expect_err("a row is there twice").violations;
        let (key, copies) = (number as i64, 2);
        assert_eq!(violations, [Violation::Duplicate { key, copies }]);

        let (total, verdict) = with_destination_fault(TableKind::Keyed, fault)
            .await
            .unwrap();
        assert_eq!(total, 25);
        verdict.expect("the key keeps rows single");
    }
}

#[tokio::test]
async fn a_row_dropped_or_doubled_by_the_source_is_caught() {
    for (fault, caught) in [
        (
            RowFault::Drop(12),
            Violation::Gap {
                key: 12,
                expected: vec![12],
            },
        ),
        (
            RowFault::Double(12),
            Violation::Duplicate { key: 12, copies: 2 },
        ),
    ] {
        let (workload, source) = workload_and_source(TableKind::Keyless).await;
        let schema = Arc::clone(&source.streams[0].schema);
        let source = SabotagedSource::new(Arc::new(source), SourceFault::Row(fault));
        let memory = MemoryDestination::default();
        replicate(&source, &schema, &memory, &[]).await.unwrap();
        let violations = verdict(&workload, &memory).unwrap_err().violations;
        assert_eq!(violations, [caught]);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_fails_the_run_and_leaves_what_was_committed() {
    for (fault, rows_arrive) in [
        (DestinationFault::FailWrite(2), false),
        (DestinationFault::FailBeforeCommit(4), false),
        (DestinationFault::FailAfterCommit(4), true),
    ] {
        let (workload, source) = workload_and_source(TableKind::Keyed).await;
        let memory = MemoryDestination::default();
        let destination = SabotagedDestination::new(Arc::new(memory.clone()), fault);
        let schema = &source.streams[0].schema;
        let error = replicate(&source, schema, &destination, &["row_key"]).await;
        assert!(error.unwrap_err().temporary(), "{fault:?}");
        assert_eq!(
            verdict(&workload, &memory).is_ok(),
            rows_arrive,
            "{fault:?}"
        );
        // The fault happens once: the repetition heals.
        replicate(&source, schema, &destination, &["row_key"])
            .await
            .unwrap();
        verdict(&workload, &memory).unwrap();
    }
    let (_, source) = workload_and_source(TableKind::Keyed).await;
    let schema = Arc::clone(&source.streams[0].schema);
    let source = SabotagedSource::new(Arc::new(source), SourceFault::FailBatch(2));
    let result = replicate(&source, &schema, &MemoryDestination::default(), &[]).await;
    assert!(result.unwrap_err().temporary());
}
