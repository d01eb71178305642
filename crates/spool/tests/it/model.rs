//! Random lives against a model that is a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use selvedge_spool::{Entry, IntakeLog, Lane, Lsn, Part, SegmentLog};
use selvedge_types::{AccountId, DestinationId, SourceId, Timestamp};

use crate::sim_disk::SimDisk;
use crate::support::{Home, noise, read_all};

#[derive(Clone, Debug)]
enum Act {
    Append {
        source: i64,
        parts: Vec<(usize, usize, bool)>,
    },
    /// A share of what a lane has, in 256ths.
    Acknowledge {
        lane: usize,
        share: u8,
    },
    Read {
        lane: usize,
        after: u8,
    },
    Tidy,
    Age,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    let part = (0usize..4, 0usize..3_000, any::<bool>());
    prop_oneof![
        8 => (0i64..2, prop::collection::vec(part, 0..4))
            .prop_map(|(source, parts)| Act::Append { source, parts }),
        3 => (0usize..8, any::<u8>()).prop_map(|(lane, share)| Act::Acknowledge { lane, share }),
        2 => (0usize..8, any::<u8>()).prop_map(|(lane, after)| Act::Read { lane, after }),
        1 => Just(Act::Tidy),
        1 => Just(Act::Age),
        1 => Just(Act::Reopen),
    ]
}

const TABLES: [&str; 2] = ["one", "two"];

/// Eight lanes: two sources, with and without destination, two tables.
fn lane(number: usize) -> Lane {
    Lane {
        source: SourceId(100_000 + (number / 4) as i64),
        destination: (number & 2 != 0).then_some(DestinationId(200_000)),
        table_name: TABLES[number & 1].into(),
    }
}

#[derive(Default)]
struct Model {
    /// What waits, by lane: position, payload, urgency.
    lanes: BTreeMap<Lane, Vec<(Lsn, Bytes, bool)>>,
    last: Lsn,
    time: i64,
}

impl Model {
    async fn append(&mut self, log: &SegmentLog, source: i64, parts: &[(usize, usize, bool)]) {
        self.time += 1;
        let parts: Vec<_> = parts
            .iter()
            .map(|(number, size, urgent)| {
                let lane = lane(*number);
                Part {
                    destination: lane.destination,
                    table_name: lane.table_name,
                    record_count: *size as u32,
                    urgent: *urgent,
                    table_version: None,
                    header: Bytes::new(),
                    payload: noise(self.time as u64, *size).into(),
                }
            })
            .collect();
        let source = SourceId(100_000 + source);
        let lsn = log
            .append(Entry {
                account: AccountId(1),
                source,
                received_at: Timestamp::from_micros(self.time),
                parts: parts.clone(),
                squeezed: None,
            })
            .await
            .unwrap();
        assert!(lsn > self.last);
        self.last = lsn;
        for part in parts {
            let lane = Lane {
                source,
                destination: part.destination,
                table_name: part.table_name,
            };
            let waiting = self.lanes.entry(lane).or_default();
            waiting.push((lsn, part.payload, part.urgent));
        }
    }

    async fn acknowledge(&mut self, home: &Home, log: &SegmentLog, lane: &Lane, share: u8) {
        let upto = Lsn(self.last.0 * u64::from(share) / 255);
        let known = home.acknowledged.lock().unwrap().get(lane).copied();
        if known.is_some_and(|known| known > upto) {
            return;
        }
        home.acknowledge(log, lane, upto).await;
        if let Some(waiting) = self.lanes.get_mut(lane) {
            waiting.retain(|(lsn, _, _)| *lsn > upto);
        }
    }

    fn check(&self, log: &SegmentLog, lane: &Lane, after: Lsn) {
        let nothing = Vec::new();
        let waiting = self.lanes.get(lane).unwrap_or(&nothing);
        let expected: Vec<_> = waiting.iter().filter(|(lsn, _, _)| *lsn > after).collect();
        let read = read_all(log, lane, after);
        assert_eq!(read.len(), expected.len());
        for (part, (lsn, payload, urgent)) in read.iter().zip(expected) {
            assert_eq!(
                (&part.lsn, &part.payload, &part.urgent),
                (lsn, payload, urgent)
            );
        }
        let summary = log.waiting(lane);
        assert_eq!(summary.is_some(), !waiting.is_empty());
        if let Some(summary) = summary {
            assert_eq!(summary.part_count, waiting.len() as u64);
            let bytes = waiting.iter().map(|(_, payload, _)| payload.len() as u64);
            assert_eq!(summary.byte_count, bytes.sum::<u64>());
            assert_eq!(summary.record_count, summary.byte_count);
            assert_eq!(summary.urgent, waiting.iter().any(|(_, _, urgent)| *urgent));
            assert_eq!(summary.first, waiting[0].0);
            assert_eq!(summary.last, waiting[waiting.len() - 1].0);
        }
    }

    fn check_all(&self, log: &SegmentLog) {
        for number in 0..8 {
            self.check(log, &lane(number), Lsn::ZERO);
        }
        let status = log.status();
        let parts: usize = self.lanes.values().map(Vec::len).sum();
        assert_eq!(status.waiting_parts, parts as u64);
        assert_eq!(status.waiting_lanes, log.lanes().len() as u64);
        assert_eq!(status.damaged, 0);
        let first = self.lanes.values().flatten().map(|(lsn, _, _)| *lsn).min();
        assert!(first.is_none_or(|first| status.horizon < first));
    }
}

async fn live(acts: Vec<Act>) {
    // Every other life writes zeros ahead.
    let ahead = acts.len() % 2 * 3_000;
    let mut home = Home::on(Arc::new(SimDisk::default())).ahead(ahead);
    home.settings.cached_segments = 2;
    let mut log = home.open();
    let mut model = Model::default();
    for act in acts {
        match act {
            Act::Append { source, parts } => model.append(&log, source, &parts).await,
            Act::Acknowledge {
                lane: number,
                share,
            } => {
                model.acknowledge(&home, &log, &lane(number), share).await;
            }
            Act::Read {
                lane: number,
                after,
            } => {
                let after = Lsn(model.last.0 * u64::from(after) / 255);
                model.check(&log, &lane(number), after);
            }
            Act::Tidy => log.tidy().unwrap(),
            Act::Age => home.clock.advance_seconds(2_000),
            Act::Reopen => {
                drop(log);
                log = home.open();
            }
        }
    }
    model.check_all(&log);
    log.tidy().unwrap();
    model.check_all(&log);
    drop(log);
    model.check_all(&home.open());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_log_behaves_like_a_list(acts in prop::collection::vec(act(), 1..250)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(live(acts));
    }
}
