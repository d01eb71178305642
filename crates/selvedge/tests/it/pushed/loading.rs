//! From accepted records to rows.

use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};

use super::{Pushed, upsert};
use crate::hooks::{Receiver, add_hook};
use crate::platform::PATIENCE;

fn keyed(table: &str, messages: &[Value]) -> Value {
    json!({
        "table_name": table,
        "schema": { "properties": {
            "id": { "type": "integer" },
            "name": { "type": ["null", "string"] },
            "note": { "type": ["null", "string"] },
        } },
        "messages": messages,
        "key_names": ["id"],
    })
}

#[tokio::test]
async fn the_greatest_sequence_of_a_key_stays() {
    let pushed = Pushed::start().await;
    let record = |sequence, data: Value| upsert(sequence, &data);
    let query = "select id::text, name || coalesce(note, '') from pushed.t order by id";
    let first = [
        record(5, json!({ "id": 1, "name": "five", "note": "!" })),
        record(9, json!({ "id": 2, "name": "nine" })),
        record(7, json!({ "id": 2, "name": "seven" })),
    ];
    pushed.batch(&keyed("t", &first)).await.accepted();
    pushed
        .rows_become(query, &[("1", "five!"), ("2", "nine")])
        .await;
    // An older one, an equal one, and in the end a newer one, whose absent field is NULL.
    for (sequence, name, id) in [(3, "three", 1), (9, "nine again", 2), (6, "six", 1)] {
        let messages = [record(sequence, json!({ "id": id, "name": name }))];
        pushed.batch(&keyed("t", &messages)).await.accepted();
    }
    pushed
        .rows_become(query, &[("1", "six"), ("2", "nine")])
        .await;
}

#[tokio::test]
async fn records_without_a_key_are_rows_of_their_own() {
    let pushed = Pushed::start().await;
    let mut body = keyed("t", &[upsert(1, &json!({ "id": 1 }))]);
    body["key_names"] = json!([]);
    pushed.batch(&body).await.accepted();
    pushed.batch(&body).await.accepted();
    let query = "select count(*)::text, count(distinct __sdc_primary_key)::text from pushed.t";
    pushed.rows_become(query, &[("2", "2")]).await;
}

/// Bodies of a few megabytes are compressed while they are checked.
#[tokio::test]
async fn large_batches_arrive_whatever_stands_around_their_records() {
    let pushed = Pushed::start().await;
    // Text that becomes much shorter, and text that does less so.
    for (table, tail) in [("plain", "to the door "), ("varied", "")] {
        let mut state = 1_u64;
        let note = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            format!("{state:x}{}", tail.repeat(20))
        };
        let notes: Vec<String> = (0..20_000).map(note).collect();
        let records = (1..).zip(&notes);
        let messages: Vec<Value> = records
            .map(|(id, note)| upsert(id, &json!({ "id": id, "name": note, "note": note })))
            .collect();
        let mut body = keyed(table, &messages);
        body["schema"]["description"] = json!("x".repeat(70_000));
        pushed.batch(&body).await.accepted();
        let query = format!(
            "select count(*)::text, md5(string_agg(name || note, '' order by id)) from pushed.{table}"
        );
        let twice: String = notes.iter().flat_map(|note| [&**note, note]).collect();
        let digest = md5(&pushed, &twice).await;
        pushed.rows_become(&query, &[("20000", &digest)]).await;
    }
}

/// As the database computes it.
async fn md5(pushed: &Pushed, text: &str) -> String {
    let row = pushed.replica.query_one("select md5($1)", &[&text]).await;
    row.expect("it can").get(0)
}

#[tokio::test]
async fn values_of_another_type_split_their_column() {
    let pushed = Pushed::start().await;
    let account = pushed.platform.account;
    let record = |sequence, data: Value| {
        json!({ "client_id": account, "table_name": "costs", "sequence": sequence, "action": "upsert",
            "key_names": ["id"], "data": data })
    };
    let records = json!([
        record(1, json!({ "id": 1, "cost": 10 })),
        record(2, json!({ "id": 2, "cost": 10.5 })),
        record(3, json!({ "id": 3, "cost": "2024-05-01T10:00:00Z" })),
    ]);
    pushed.post("/v2/import/push", &records).await.accepted();
    let query = "select id::text, concat_ws('|', cost__it, cost__do, cost__st) from pushed.costs order by id";
    pushed
        .rows_become(
            query,
            &[("1", "10"), ("2", "10.5"), ("3", "2024-05-01T10:00:00Z")],
        )
        .await;
    let transit = format!(
        r#"[["^ ","~:client_id",{account},"~:table_name","typed","~:sequence",1,"~:action","upsert","~:key_names",["id"],
            "~:data",["^ ","id",1,"at","~t2024-05-01T10:00:00.000Z","price","~f1.50"]]]"#
    );
    let said = pushed
        .post_text("/v2/import/push", "application/transit+json", transit)
        .await;
    said.accepted();
    let query = "select at::text, pg_typeof(at) || ' ' || price::text || ' ' || pg_typeof(price) from pushed.typed";
    let expected = "timestamp without time zone 1.50 numeric";
    pushed
        .rows_become(query, &[("2024-05-01 10:00:00", expected)])
        .await;
}

#[tokio::test]
async fn a_version_is_activated_after_everything_accepted_before_it() {
    let pushed = Pushed::start().await;
    let versioned = |version: i64, messages: &[Value]| {
        let mut body = keyed("t", messages);
        body["table_version"] = json!(version);
        body
    };
    let record = |sequence: i64, id: i64| upsert(sequence, &json!({ "id": id, "name": "n" }));
    let query = "select id::text, _sdc_table_version::text from pushed.t order by id";
    let body = versioned(1, &[record(1, 1), record(2, 2)]);
    pushed.batch(&body).await.accepted();
    pushed.rows_become(query, &[("1", "1"), ("2", "1")]).await;
    for id in 3..=5 {
        let body = versioned(2, &[record(id, id)]);
        pushed.batch(&body).await.accepted();
    }
    let activation = json!({ "action": "activate_version", "sequence": 9 });
    pushed.batch(&versioned(2, &[activation])).await.accepted();
    pushed
        .rows_become(query, &[("3", "2"), ("4", "2"), ("5", "2")])
        .await;
}

#[tokio::test]
async fn records_wait_for_a_destination_that_is_away() {
    let pushed = Pushed::start().await;
    let destinations = pushed
        .platform
        .api
        .get("/v4/destinations")
        .await
        .status(200);
    let path = format!("/v4/destinations/{}", destinations[0]["id"]);
    let port = pushed.to.port.to_string();
    // A port that nobody listens on.
    let away = |port: &str| json!({ "properties": { "port": port } });
    pushed.platform.api.put(&path, &away("1")).await.status(200);
    let body = keyed("t", &[upsert(1, &json!({ "id": 1, "name": "kept" }))]);
    pushed.batch(&body).await.accepted();
    let loads = format!("/v4/{}/loads", pushed.platform.account);
    wait_until("the failed load", PATIENCE, async || {
        let page = pushed.platform.api.get(&loads).await.status(200);
        let state = page["data"][0]["error_state"]["notification_data"]["error"].clone();
        match state == "LOADER_WAREHOUSE_ERROR" {
            true => Ok(()),
            false => Err(page),
        }
    })
    .await;
    pushed.batch(&body).await.accepted();
    pushed
        .platform
        .api
        .put(&path, &away(&port))
        .await
        .status(200);
    // Whoever mends the settings need not wait for the next try.
    let query = "select id::text, name from pushed.t";
    pushed.rows_become(query, &[("1", "kept")]).await;
}

#[tokio::test]
async fn a_table_that_somebody_broke_waits_alone() {
    let pushed = Pushed::start().await;
    let body = |table: &str, id: i64| {
        let messages = [upsert(id, &json!({ "id": id, "name": "n" }))];
        keyed(table, &messages)
    };
    let rows = "select id::text, name from pushed.broken";
    pushed.batch(&body("broken", 1)).await.accepted();
    pushed.rows_become(rows, &[("1", "n")]).await;
    let broken = "alter table pushed.broken drop column _sdc_sequence";
    pushed.replica.batch_execute(broken).await.unwrap();
    pushed.batch(&body("broken", 2)).await.accepted();
    let loads = format!("/v4/{}/loads", pushed.platform.account);
    // All tables of a destination that is away are tried again after a minute.
    let soon = std::time::Duration::from_secs(40);
    let load_of = |page: &Value, table: &str| {
        let mut loads = page["data"].as_array().into_iter().flatten();
        loads.find(|load| load["stream_name"] == table).cloned()
    };
    wait_until("the failed load", soon, async || {
        let page = pushed.platform.api.get(&loads).await.status(200);
        let state = load_of(&page, "broken").map(|load| load["error_state"].clone());
        match state.map(|state| state["notification_data"]["action"].clone()) {
            Some(action) if action == "load-table" => Ok(()),
            _ => Err(page),
        }
    })
    .await;
    pushed.batch(&body("fine", 3)).await.accepted();
    wait_until("the load of the other table", soon, async || {
        let page = pushed.platform.api.get(&loads).await.status(200);
        match load_of(&page, "fine") {
            Some(load) if !load["last_batch_loaded_at"].is_null() => Ok(()),
            _ => Err(page),
        }
    })
    .await;
}

#[tokio::test]
async fn records_that_came_before_there_was_a_destination_are_loaded_into_the_first() {
    let mut pushed = Pushed::start().await;
    let destinations = pushed
        .platform
        .api
        .get("/v4/destinations")
        .await
        .status(200);
    let path = format!("/v4/destinations/{}", destinations[0]["id"]);
    pushed.platform.api.delete(&path).await.status(200);
    // Losing its destination has paused the source.
    let source = format!("/v4/sources/{}", pushed.source);
    let body = keyed("t", &[upsert(1, &json!({ "id": 1, "name": "early" }))]);
    assert_eq!(pushed.batch(&body).await.status, 401);
    let fresh = json!({ "type": "import_api", "display_name": "Fresh", "properties": {} });
    let created = pushed
        .platform
        .api
        .post("/v4/sources", &fresh)
        .await
        .status(200);
    pushed.source = created["id"].as_i64().unwrap();
    pushed.token = pushed.new_token().await.1;
    let unmapped = pushed.platform.api.get(&source).await.status(200);
    assert_eq!(unmapped["destination_id"], Value::Null);
    pushed.batch(&body).await.accepted();
    let destination = crate::platform::destination_body(&pushed.to);
    pushed.platform.destination(&destination).await;
    let query = "select id::text, name from fresh.t";
    pushed.rows_become(query, &[("1", "early")]).await;
}

#[tokio::test]
async fn hooks_are_told_of_loads_of_pushed_records() {
    let receiver = Receiver::answering(Vec::new()).await;
    let pushed = Pushed::start().await;
    add_hook(&pushed.platform, &receiver.url()).await;
    let messages = [
        upsert(
            1,
            &json!({ "id": 1, "at": "2031-02-03T04:05:06+01:00", "lines": [{ "sku": "a" }, { "sku": "b" }] }),
        ),
        upsert(2, &json!({ "id": 1, "at": "2031-02-01T00:00:00Z" })),
        upsert(3, &json!({ "id": 2, "_sdc_sequence": 7 })),
    ];
    let mut body = keyed("orders", &messages);
    body["schema"]["properties"]["at"] = json!({ "type": "string", "format": "date-time" });
    body["bookmark_names"] = json!(["at", "id"]);
    pushed.batch(&body).await.accepted();
    let payload = receiver.called(1).await[0].json();
    let of = |name: &str| payload[name].clone();
    assert_eq!(
        [
            of("integration_name"),
            of("source_root_table_name"),
            of("table_version"),
            of("new_version")
        ],
        [json!("pushed"), json!("orders"), json!(0), json!(false)]
    );
    let root = &payload["tables"][0];
    assert_eq!(
        [&root["num_rows"], &root["num_rows_rejected"]],
        [&json!(1), &json!(1)]
    );
    assert_eq!(
        root["bookmark_metadata"],
        json!([
            {
                "key": "at",
                "min_value": "2031-02-01T00:00:00.000000Z",
                "max_value": "2031-02-03T03:05:06.000000Z",
            },
            // The rejected record has passed by, too.
            { "key": "id", "min_value": "1", "max_value": "2" },
        ])
    );
    pushed
        .rows_become(
            "select id::text, _sdc_sequence::text from pushed.orders",
            &[("1", "2")],
        )
        .await;
}
