//! The server is killed again and again while several programs push to it; an oracle judges what arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use selvedge_testkit::effort;
use selvedge_testkit::wait::wait_until;
use selvedge_testkit::workload::Seed;
use serde_json::json;
use tokio::sync::watch;

use super::{Pushed, client, upsert};
use crate::platform::PATIENCE;

/// Unless the environment says otherwise.
const KILLS: u32 = 10;
const PUSHERS: u64 = 4;
/// All pushers write to these keys of the table that they share.
const KEYS: usize = 60;

/// What a pusher knows was accepted, or may have been.
#[derive(Debug, Default)]
struct Pushes {
    /// The greatest sequence of each key in the shared table.
    newest: BTreeMap<i64, i64>,
    /// Requests by the number of the record in the pusher's own table without a key.
    attempts: BTreeMap<i64, u32>,
}

#[tokio::test]
async fn kills_while_several_push_lose_and_double_nothing() {
    for (seed, kills) in effort::kills_by_seed(KILLS) {
        push_and_kill(seed, kills).await;
    }
}

async fn push_and_kill(seed: u64, kills: u32) {
    let mut pushed = Pushed::start().await;
    let mut random = Seed::new(!seed);
    let (address, _) = watch::channel(pushed.platform.server.base().to_owned());
    let over = Arc::new(AtomicBool::new(false));
    let pushers: Vec<_> = (0..PUSHERS)
        .map(|number| {
            let pusher = Pusher {
                number,
                address: address.subscribe(),
                over: Arc::clone(&over),
                token: pushed.token.clone(),
                random: Seed::new(seed * 100 + number),
            };
            tokio::spawn(pusher.push())
        })
        .collect();
    for _ in 0..kills {
        // Chance decides what the server is at.
        tokio::time::sleep(Duration::from_millis(50 + random.below(900) as u64)).await;
        pushed.platform.kill_and_restart().await;
        address.send_replace(pushed.platform.server.base().to_owned());
    }
    over.store(true, Ordering::SeqCst);
    let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
    let mut own = Vec::new();
    for pusher in pushers {
        let pushes = pusher.await.unwrap();
        for (key, sequence) in pushes.newest {
            let kept = newest.entry(key).or_insert(sequence);
            *kept = sequence.max(*kept);
        }
        own.push(pushes.attempts);
    }
    let accepted: usize = own.iter().map(BTreeMap::len).sum();
    assert!(
        accepted > kills as usize,
        "seed {seed}: only {accepted} requests got through"
    );

    let judged = || async {
        let shared = pushed
            .numbers("select id, _sdc_sequence from pushed.shared order by id")
            .await?;
        let expected: Vec<(i64, i64)> = newest.iter().map(|(key, value)| (*key, *value)).collect();
        if shared != expected {
            return Err(format!("shared: {shared:?}\nexpected {expected:?}"));
        }
        for (number, attempts) in own.iter().enumerate() {
            let query =
                format!("select id, count(*) from pushed.own_{number} group by id order by id");
            let rows = pushed.numbers(&query).await?;
            let ids: Vec<i64> = rows.iter().map(|(id, _)| *id).collect();
            let expected: Vec<i64> = attempts.keys().copied().collect();
            if ids != expected {
                return Err(format!("own_{number} has {ids:?}\nexpected {expected:?}"));
            }
            for (id, count) in rows {
                // A request whose answer never came may have been accepted, and then again.
                assert!(
                    count <= i64::from(attempts[&id]),
                    "seed {seed}: {id} of own_{number} is there {count} times"
                );
            }
        }
        Ok(())
    };
    wait_until("everything that was accepted", PATIENCE, async || {
        let judged = judged().await;
        judged.map_err(|what: String| {
            format!("seed {seed}: {what}\n{}", pushed.platform.server.log())
        })
    })
    .await;
}

struct Pusher {
    number: u64,
    address: watch::Receiver<String>,
    over: Arc<AtomicBool>,
    token: String,
    random: Seed,
}

impl Pusher {
    /// Pushes until it is over; each request is sent again until it is accepted.
    async fn push(mut self) -> Pushes {
        let mut pushes = Pushes::default();
        let mut clock = 0;
        let mut request = 0;
        while !self.over.load(Ordering::SeqCst) {
            request += 1;
            let (table, messages) = if request % 2 == 0 {
                let mut messages = Vec::new();
                for _ in 0..1 + self.random.below(20) {
                    clock += 1;
                    let key = self.random.below(KEYS) as i64;
                    // No two pushers give the same.
                    let sequence = clock * 10 + self.number as i64;
                    messages.push(upsert(sequence, &json!({ "id": key })));
                    let newest = pushes.newest.entry(key).or_insert(sequence);
                    *newest = sequence.max(*newest);
                }
                ("shared".to_owned(), messages)
            } else {
                clock += 1;
                (
                    format!("own_{}", self.number),
                    vec![upsert(
                        clock,
                        &json!({ "id": request, "text": "x".repeat(2_000) }),
                    )],
                )
            };
            let key_names = if table == "shared" {
                json!(["id"])
            } else {
                json!([])
            };
            let body = json!({
                "table_name": table, "schema": { "properties": { "id": { "type": "integer" } } },
                "messages": messages, "key_names": key_names,
            });
            let attempts = self.until_accepted(&body.to_string()).await;
            if request % 2 == 1 {
                pushes.attempts.insert(request, attempts);
            }
        }
        pushes
    }

    async fn until_accepted(&mut self, body: &str) -> u32 {
        // Connections of a server that is gone are gone too.
        let http = client();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let base = self.address.borrow_and_update().clone();
            let answer = http
                .post(format!("{base}/v2/import/batch"))
                .header(AUTHORIZATION, format!("Bearer {}", self.token))
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_owned())
                .send()
                .await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(201) => return attempts,
                Ok(status) if status < 500 => panic!("{status} for {body}"),
                _ => {
                    // The next address, or soon again.
                    let _changed =
                        tokio::time::timeout(Duration::from_millis(50), self.address.changed())
                            .await;
                }
            }
        }
    }
}

impl Pushed {
    /// Pairs of numbers; an error while a table is not there yet.
    async fn numbers(&self, query: &str) -> Result<Vec<(i64, i64)>, String> {
        let rows = self.replica.query(query, &[]).await;
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(rows
            .iter()
            .map(|row| {
                let first = row
                    .try_get::<_, i64>(0)
                    .unwrap_or_else(|_| i64::from(row.get::<_, i32>(0)));
                (first, row.get(1))
            })
            .collect())
    }
}
