//! A life of a log that touches everything, and what must be true of it afterwards whatever went wrong meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use selvedge_spool::{AppendError, IntakeLog, Lane, Lsn, SegmentLog};

use crate::support::{Home, Random, entry, lane, noise, part, read_all};

const TABLES: [&str; 3] = ["often", "seldom", "never"];

/// What the callers of a log know.
pub(crate) struct Story {
    /// Tables and payload sizes of every entry that somebody tried to append, by number.
    tried: Vec<Vec<(usize, usize)>>,
    /// The entries that were confirmed.
    pub(crate) confirmed: BTreeMap<Lsn, usize>,
    /// The entries that were refused.
    refused: Vec<usize>,
    random: Random,
}

fn payload(number: usize, part: usize, size: usize) -> Vec<u8> {
    let mut payload = format!("{number}/{part}/").into_bytes();
    payload.extend(noise((number * 8 + part) as u64, size));
    payload
}

/// Number of the entry and index of the part that a payload was made for.
fn number_and_index(payload: &[u8]) -> (usize, usize) {
    let mut pieces = payload
        .split(|byte| *byte == b'/')
        .map(|piece| str::from_utf8(piece).unwrap().parse().unwrap());
    (pieces.next().unwrap(), pieces.next().unwrap())
}

impl Story {
    pub(crate) fn new() -> Self {
        Self {
            tried: Vec::new(),
            confirmed: BTreeMap::new(),
            refused: Vec::new(),
            random: Random::new(1),
        }
    }

    /// Entries come alone and together; the table "often" is loaded soon, "seldom" now and then, "never" not at all. Segments are
    /// closed, removed and rewritten on the way.
    pub(crate) async fn live(&mut self, home: &Home, log: &Arc<SegmentLog>) {
        for round in 0..20 {
            let mut together = Vec::new();
            for _ in 0..1 + self.random.below(3) {
                let number = self.tried.len();
                let mut parts = Vec::new();
                for _ in 0..1 + self.random.below(3) {
                    // Little for the table that nobody loads, so that segments are mostly dead in the end.
                    let table = self.random.below(TABLES.len());
                    let size = if TABLES[table] == "never" {
                        self.random.below(300)
                    } else {
                        self.random.below(6_000)
                    };
                    parts.push((table, size));
                }
                self.tried.push(parts.clone());
                let parts = parts
                    .iter()
                    .enumerate()
                    .map(|(index, (table, size))| {
                        part(TABLES[*table], payload(number, index, *size))
                    })
                    .collect();
                let log = Arc::clone(log);
                let append = async move { log.append(entry(1, parts)).await };
                together.push((number, tokio::spawn(append)));
            }
            for (number, append) in together {
                match append.await.unwrap() {
                    Ok(lsn) => assert!(self.confirmed.insert(lsn, number).is_none()),
                    Err(AppendError::Full | AppendError::Unavailable { .. }) => {
                        self.refused.push(number);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            let newest = *log.durable().borrow();
            home.acknowledge_within(log, &lane(1, "often"), newest)
                .await;
            if round % 4 == 3 {
                home.acknowledge_within(log, &lane(1, "seldom"), Lsn(newest.0 / 2))
                    .await;
                // A round of tidying that fails is repeated by the next.
                let _ = log.tidy();
            }
        }
    }

    /// Everything confirmed and not acknowledged is there, whole and in order, and nothing that was not tried.
    pub(crate) fn check(&self, home: &Home, log: &SegmentLog) {
        assert_eq!(log.status().damaged, 0);
        // By position, the parts found: table, index in the entry.
        let mut found: BTreeMap<Lsn, Vec<(usize, usize)>> = BTreeMap::new();
        let mut numbers: HashMap<Lsn, usize> = HashMap::new();
        for (table, name) in TABLES.iter().enumerate() {
            let lane = lane(1, name);
            let mut last = Lsn::ZERO;
            let stored = read_all(log, &lane, Lsn::ZERO);
            let records: u64 = stored.iter().map(|part| u64::from(part.record_count)).sum();
            assert_eq!(
                log.waiting(&lane).map_or(0, |lane| lane.record_count),
                records
            );
            for part in stored {
                assert!(last <= part.lsn);
                last = part.lsn;
                assert!(part.lsn > home.acknowledged_upto(&lane));
                let (number, index) = number_and_index(&part.payload);
                let (tried_table, size) = self.tried[number][index];
                assert_eq!(tried_table, table);
                assert_eq!(part.payload, payload(number, index, size));
                assert_eq!(*numbers.entry(part.lsn).or_insert(number), number);
                found.entry(part.lsn).or_default().push((table, index));
            }
        }
        for (lsn, number) in &self.confirmed {
            assert!(numbers.get(lsn).is_none_or(|found| found == number));
            numbers.insert(*lsn, *number);
        }
        for (lsn, number) in &numbers {
            let mut expected: Vec<_> = self.tried[*number]
                .iter()
                .enumerate()
                .map(|(index, (table, _))| (*table, index))
                .filter(|(table, _)| home.acknowledged_upto(&lane(1, TABLES[*table])) < *lsn)
                .collect();
            let mut found = found.remove(lsn).unwrap_or_default();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "entry {number} at {lsn}");
        }
    }

    /// Nothing of what was refused is there.
    pub(crate) fn check_refused(&self, log: &SegmentLog) {
        for name in TABLES {
            for part in read_all(log, &lane(1, name), Lsn::ZERO) {
                let (number, _) = number_and_index(&part.payload);
                assert!(
                    !self.refused.contains(&number),
                    "entry {number} was refused"
                );
            }
        }
    }

    pub(crate) fn refused_count(&self) -> usize {
        self.refused.len()
    }
}

impl Home {
    /// Acknowledges up to what has been read, and only forward.
    async fn acknowledge_within(&self, log: &SegmentLog, lane: &Lane, upto: Lsn) {
        if upto > self.acknowledged_upto(lane) {
            self.acknowledge(log, lane, upto).await;
        }
    }

    fn acknowledged_upto(&self, lane: &Lane) -> Lsn {
        let acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.get(lane).copied().unwrap_or(Lsn::ZERO)
    }
}
