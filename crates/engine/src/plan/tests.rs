use selvedge_connector::{KeyBound, LogicalType, StreamLocation};
use selvedge_types::stream::Inclusion;
use serde_json::{Map, Value};

use super::*;
use crate::{LoadSummary, SavedBy, StreamPosition};

const JOB: &str = "the job";

fn field(name: &str, inclusion: Inclusion, logical_type: Option<LogicalType>) -> DiscoveredField {
    DiscoveredField {
        name: name.to_owned(),
        sql_datatype: "t".to_owned(),
        inclusion,
        selected_by_default: logical_type.is_some(),
        logical_type,
        json_schema: Value::Null,
    }
}

fn stream(schema: &str, table: &str) -> DiscoveredStream {
    DiscoveredStream {
        tap_stream_id: format!("shop-{schema}-{table}"),
        stream_name: table.to_owned(),
        location: StreamLocation {
            database: "shop".to_owned(),
            schema: schema.to_owned(),
            table: table.to_owned(),
        },
        is_view: false,
        row_count: None,
        key_properties: vec!["id".to_owned()],
        replication_keys: vec!["id".to_owned(), "changed".to_owned()],
        methods: vec![ReplicationMethod::FullTable, ReplicationMethod::Incremental],
        fields: vec![
            field("id", Inclusion::Automatic, Some(LogicalType::Int64)),
            field(
                "changed",
                Inclusion::Available,
                Some(LogicalType::Timestamp),
            ),
            field("note", Inclusion::Available, Some(LogicalType::Text)),
            field("shape", Inclusion::Unsupported, None),
        ],
        extra_metadata: Map::new(),
    }
}

fn chosen(
    stream: &DiscoveredStream,
    method: Option<ReplicationMethod>,
    key: Option<&str>,
) -> StreamState {
    StreamState {
        tap_stream_id: stream.tap_stream_id.clone(),
        choice: StreamChoice {
            selected: true,
            method,
            replication_key: key.map(str::to_owned),
            ..StreamChoice::default()
        },
        position: None,
        epoch: 1,
    }
}

fn planned(streams: Vec<DiscoveredStream>, states: Vec<StreamState>) -> Vec<Planned> {
    plan(
        &PlanSettings::default(),
        JOB,
        &Catalog { streams },
        states,
        &str::to_owned,
    )
}

fn copy(planned: &Planned) -> &StreamPlan {
    match planned {
        Planned::Copy(plan) => plan,
        other => panic!("not a copy: {other:?}"),
    }
}

#[test]
fn unselected_streams_and_fields_are_not_read() {
    let orders = stream("public", "orders");
    let mut state = chosen(&orders, Some(ReplicationMethod::FullTable), None);
    state.choice.fields.insert("note".to_owned(), false);
    state.choice.fields.insert("id".to_owned(), false);
    let plans = planned(vec![orders, stream("public", "quiet")], vec![state]);
    assert_eq!(plans.len(), 1);
    let names: Vec<_> = copy(&plans[0])
        .read
        .schema
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["id", "changed"]);
}

#[test]
fn a_selected_stream_without_method_or_key_is_not_configured() {
    let orders = stream("public", "orders");
    for state in [
        chosen(&orders, None, None),
        chosen(&orders, Some(ReplicationMethod::Incremental), None),
    ] {
        let plans = planned(vec![orders.clone()], vec![state]);
        assert!(matches!(plans[0], Planned::NotConfigured { .. }));
    }
}

#[test]
fn an_unsuitable_replication_key_is_refused_with_its_name() {
    let orders = stream("public", "orders");
    for bad in ["note", "nowhere"] {
        let plans = planned(
            vec![orders.clone()],
            vec![chosen(
                &orders,
                Some(ReplicationMethod::Incremental),
                Some(bad),
            )],
        );
        let Planned::Refused { error, .. } = &plans[0] else {
            panic!("planned")
        };
        assert!(
            error.message.contains(bad) && error.message.contains("shop-public-orders"),
            "{error}"
        );
    }
}

#[test]
fn the_second_stream_of_one_table_is_refused_with_the_setting_that_helps() {
    let streams = vec![stream("eu", "orders"), stream("us", "orders")];
    let states: Vec<_> = streams
        .iter()
        .map(|stream| chosen(stream, Some(ReplicationMethod::FullTable), None))
        .collect();
    let plans = planned(streams.clone(), states.clone());
    let refused: Vec<_> = plans
        .iter()
        .filter_map(|planned| match planned {
            Planned::Refused { error, .. } => Some(error.message.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("include_schemas_in_destination_stream_name"));

    let apart = PlanSettings {
        include_schema_in_table_name: true,
        ..PlanSettings::default()
    };
    let plans = plan(&apart, JOB, &Catalog { streams }, states, &str::to_owned);
    let tables: Vec<_> = plans
        .iter()
        .map(|planned| copy(planned).table_name.as_str())
        .collect();
    assert_eq!(tables, ["eu__orders", "us__orders"]);
}

#[test]
fn an_incremental_stream_goes_on_from_its_position() {
    let orders = stream("public", "orders");
    let mut state = chosen(&orders, Some(ReplicationMethod::Incremental), Some("id"));
    let position = StreamPosition {
        last_replication_method: ReplicationMethod::Incremental,
        replication_key: Some("id".to_owned()),
        replication_key_value: Some("41".to_owned()),
        version: None,
        replication_key_passed: false,
        complete: true,
        last_sequence: 9,
        saved_by: None,
        untold: LoadSummary::default(),
    };
    state.position = Some(position.clone());
    let plans = planned(vec![orders.clone()], vec![state.clone()]);
    assert_eq!(
        copy(&plans[0]).read.method,
        ReadMethod::Incremental {
            key: "id".to_owned(),
            from: Some(KeyBound {
                value: "41".to_owned(),
                inclusive: true
            })
        }
    );
    assert_eq!(copy(&plans[0]).mode, LoadMode::Merge);

    // Another key: forget the position and rebuild the table.
    state.choice.replication_key = Some("changed".to_owned());
    let plans = planned(vec![orders], vec![state]);
    assert!(copy(&plans[0]).reset_first);
    assert_eq!(copy(&plans[0]).mode, LoadMode::Replace);
    assert_eq!(
        copy(&plans[0]).read.method,
        ReadMethod::Incremental {
            key: "changed".to_owned(),
            from: None
        }
    );
}

#[test]
fn a_rebuild_that_was_cut_short_starts_over() {
    let orders = stream("public", "orders");
    let mut state = chosen(&orders, Some(ReplicationMethod::Incremental), Some("id"));
    state.epoch = 2;
    let plans = planned(vec![orders], vec![state]);
    assert_eq!(copy(&plans[0]).mode, LoadMode::Replace);
}

#[test]
fn streams_without_a_position_come_first() {
    let (old, new) = (stream("public", "a_old"), stream("public", "b_new"));
    let mut state = chosen(&old, Some(ReplicationMethod::FullTable), None);
    state.position = Some(StreamPosition {
        last_replication_method: ReplicationMethod::FullTable,
        replication_key: None,
        replication_key_value: None,
        version: Some(1),
        replication_key_passed: false,
        complete: true,
        last_sequence: 1,
        saved_by: None,
        untold: LoadSummary::default(),
    });
    let plans = planned(
        vec![old, new.clone()],
        vec![
            state,
            chosen(&new, Some(ReplicationMethod::FullTable), None),
        ],
    );
    assert_eq!(copy(&plans[0]).table_name, "b_new");
}

#[test]
fn a_stream_is_over_for_the_job_that_finished_it_in_this_epoch_and_with_this_method() {
    let orders = stream("public", "orders");
    let over = |job: &str, epoch, method, finished| {
        let mut state = chosen(&orders, Some(ReplicationMethod::FullTable), None);
        state.position = Some(StreamPosition {
            last_replication_method: method,
            replication_key: None,
            replication_key_value: None,
            replication_key_passed: false,
            version: Some(1),
            complete: true,
            last_sequence: 1,
            saved_by: Some(SavedBy {
                job: job.to_owned(),
                epoch,
                fence: 7,
                checkpoint: 2,
                finished,
                row_count: 5,
                size_bytes: 50,
            }),
            untold: LoadSummary::default(),
        });
        let plans = planned(vec![orders.clone()], vec![state]);
        matches!(
            plans[0],
            Planned::Finished {
                row_count: 5,
                size_bytes: 50,
                ..
            }
        )
    };
    let (full, incremental) = (ReplicationMethod::FullTable, ReplicationMethod::Incremental);
    assert!(over(JOB, 1, full, true));
    assert!(!over("another", 1, full, true));
    assert!(!over(JOB, 0, full, true));
    assert!(!over(JOB, 1, incremental, true));
    assert!(!over(JOB, 1, full, false));
}

#[test]
fn a_key_of_an_unsupported_type_leaves_the_table_keyless() {
    let mut orders = stream("public", "orders");
    orders.key_properties = vec!["shape".to_owned()];
    let state = chosen(&orders, Some(ReplicationMethod::FullTable), None);
    let plans = planned(vec![orders], vec![state]);
    assert!(copy(&plans[0]).key.is_empty());
    assert_eq!(copy(&plans[0]).notes.len(), 1);
}
