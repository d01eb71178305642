//! Files that end early, or are not what was written.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use selvedge_spool::{IntakeLog, Lsn, OpenError, SegmentLog, StoredPart};

use crate::support::{Home, entry, lane, noise, part, read_all, segments};

/// Copies the files of a log as they are at this moment, as if its process had been killed.
fn killed(home: &Home) -> Home {
    let copy = Home::quick();
    for path in home.segments() {
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

fn newest(home: &Home) -> std::path::PathBuf {
    home.segments().pop().unwrap()
}

async fn append(log: &SegmentLog, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let parts = vec![
            part("a", noise(number, 30 + number as usize)),
            part("b", noise(number, 10)),
        ];
        log.append(entry(1, parts)).await.unwrap();
    }
}

fn stored(log: &SegmentLog) -> Vec<StoredPart> {
    ["a", "b"]
        .iter()
        .flat_map(|table| read_all(log, &lane(1, table), Lsn::ZERO))
        .collect()
}

#[tokio::test]
async fn a_torn_end_is_cut_off_wherever_it_is_torn() {
    let home = Home::quick();
    let log = home.open();
    append(&log, 0..3).await;
    let before = fs::metadata(newest(&home)).unwrap().len();
    append(&log, 3..5).await;
    let all = stored(&log);
    let after = fs::metadata(newest(&home)).unwrap().len();
    let fourth = (after - before) / 2;
    for length in before..=after {
        let copy = killed(&home);
        let file = fs::File::options().write(true).open(newest(&copy)).unwrap();
        file.set_len(length).unwrap();
        let log = copy.open();
        let found = stored(&log);
        let whole = found.len() / 2;
        assert!(whole >= 3 && found.iter().all(|part| all.contains(part)));
        assert!((whole == 5) == (length == after), "{whole} at {length}");
        assert!(whole > 3 || length < before + fourth + 10);
        let lsn = log.append(entry(1, vec![part("c", "")])).await.unwrap();
        assert!(lsn.0 > whole as u64);
        assert_eq!(log.status().damaged, 0);
        drop(log);
        assert_eq!(stored(&copy.open()), found);
    }
}

#[tokio::test]
async fn a_torn_end_in_front_of_zeros_is_cut_off_wherever_it_is_torn() {
    let plain = Home::quick();
    let log = plain.open();
    append(&log, 0..3).await;
    let before = fs::metadata(newest(&plain)).unwrap().len() as usize;
    append(&log, 3..5).await;
    let after = fs::metadata(newest(&plain)).unwrap().len() as usize;

    let home = Home::quick().ahead(4_096);
    let log = home.open();
    append(&log, 0..5).await;
    let all = stored(&log);
    let bytes = fs::read(newest(&home)).unwrap();
    assert!(bytes.len() > after && bytes[after..].iter().all(|byte| *byte == 0));
    for torn in before..=after {
        let copy = killed(&home).ahead(4_096);
        let mut bytes = bytes.clone();
        bytes[torn..].fill(0);
        let changed = bytes[torn..after] != between(&home, torn, after);
        fs::write(newest(&copy), bytes).unwrap();
        let log = copy.open();
        let found = stored(&log);
        let whole = found.len() / 2;
        assert!(whole >= 3 && found.iter().all(|part| all.contains(part)));
        assert!(changed || whole == 5, "{whole} at {torn}");
        let lsn = log.append(entry(1, vec![part("c", "")])).await.unwrap();
        assert!(lsn.0 > whole as u64);
        if torn == after {
            assert_eq!(lsn, Lsn(6), "zeros are no damage");
        }
        assert_eq!(log.status().damaged, 0);
        drop(log);
        assert_eq!(stored(&copy.open()), found);
    }
}

/// What stands in the newest segment between two places.
fn between(home: &Home, from: usize, to: usize) -> Vec<u8> {
    fs::read(newest(home)).unwrap()[from..to].to_vec()
}

#[tokio::test]
async fn a_segment_that_is_closed_has_no_zeros_behind_it() {
    let home = Home::quick().ahead(4_096);
    let log = home.open();
    append(&log, 0..5).await;
    let open = fs::metadata(newest(&home)).unwrap().len();
    log.close().await;
    drop(log);
    let closed = fs::metadata(newest(&home)).unwrap().len();
    assert!(closed < open, "{closed} bytes of {open}");
    let log = home.open();
    assert_eq!(stored(&log).len(), 10);
    assert_eq!(
        log.append(entry(1, vec![part("c", "")])).await.unwrap(),
        Lsn(6)
    );
}

#[tokio::test]
async fn damage_before_the_last_group_costs_one_entry_and_is_counted() {
    let home = Home::quick();
    let log = home.open();
    append(&log, 0..5).await;
    let length = fs::metadata(newest(&home)).unwrap().len();
    drop(log);
    let sealed = fs::metadata(newest(&home)).unwrap().len();
    assert!(sealed > length);
    for seal in [true, false] {
        for (at, damaged_entry) in [(150, true), (length / 2, true), (sealed - 1, false)] {
            let copy = killed(&home);
            let mut bytes = fs::read(newest(&home)).unwrap();
            if !seal {
                bytes.truncate(length as usize);
            }
            let Some(byte) = bytes.get_mut(at as usize) else {
                continue;
            };
            *byte ^= 1;
            fs::write(newest(&copy), bytes).unwrap();
            let log = copy.open();
            let lost = read_all(&log, &lane(1, "a"), Lsn::ZERO).len() < 5
                || read_all(&log, &lane(1, "b"), Lsn::ZERO).len() < 5;
            assert_eq!(lost, damaged_entry, "byte {at}, sealed {seal}");
            assert!(stored(&log).len() >= 8);
            assert_eq!(log.status().damaged > 0, damaged_entry);
            // What cannot be read does not wait for ever.
            for table in ["a", "b"] {
                let read = read_all(&log, &lane(1, table), Lsn::ZERO).len() as u64;
                let waiting = log.waiting(&lane(1, table)).unwrap();
                assert_eq!(waiting.part_count, read);
            }
        }
    }
}

#[tokio::test]
async fn segments_of_other_versions_and_other_logs_are_refused() {
    let home = Home::quick();
    let log = home.open();
    append(&log, 0..1).await;
    drop(log);
    let mut bytes = fs::read(newest(&home)).unwrap();
    bytes[8] = 2;
    let copy = killed(&home);
    fs::write(newest(&copy), &bytes).unwrap();
    assert!(matches!(
        copy.try_open(),
        Err(OpenError::UnknownVersion { version: 2, .. })
    ));

    let other = Home::quick();
    let log = other.open();
    append(&log, 0..5).await;
    drop(log);
    drop(other.open());
    let path = newest(&other);
    fs::copy(&path, home.path().join(path.file_name().unwrap())).unwrap();
    assert!(matches!(home.try_open(), Err(OpenError::ForeignSegment(_))));
}

#[tokio::test]
async fn a_segment_without_its_header_is_set_aside() {
    let home = Home::quick();
    let log = home.open();
    append(&log, 0..300).await;
    let all = stored(&log);
    drop(log);
    let paths = home.segments();
    assert!(paths.len() > 2);
    let mut bytes = fs::read(&paths[1]).unwrap();
    bytes[20] ^= 1;
    fs::write(&paths[1], bytes).unwrap();
    let log = home.open();
    let found = stored(&log);
    assert!(found.len() < all.len() && found.iter().all(|part| all.contains(part)));
    assert_eq!(log.status().damaged, 1);
    assert!(paths[1].exists());
    let lsn = log.append(entry(1, vec![part("c", "")])).await.unwrap();
    assert!(lsn > Lsn(300));
}

/// What may happen to the bytes of a file.
#[derive(Clone, Debug)]
enum Change {
    Overwrite(prop::sample::Index, Vec<u8>),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Double(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    use prop::collection::vec;
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Change::Overwrite(at, bytes)),
        (at(), vec(any::<u8>(), 1..200)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), 1usize..400).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), 1usize..1_000).prop_map(|(at, count)| Change::Double(at, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let end = |at: usize, count: usize| (at + count).min(bytes.len());
    match change {
        Change::Overwrite(at, new) => {
            let at = at.index(bytes.len());
            let end = end(at, new.len());
            bytes[at..end].copy_from_slice(&new[..end - at]);
        }
        Change::Insert(at, new) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = at.index(bytes.len());
            bytes.drain(at..end(at, *count));
        }
        Change::Double(at, count) => {
            let at = at.index(bytes.len());
            let again = bytes[at..end(at, *count)].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_the_bytes_nothing_panics_and_nothing_false_is_read(
        file in any::<prop::sample::Index>(),
        killed_before in any::<bool>(),
        changes in prop::collection::vec(change(), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let home = Home::quick();
            let log = home.open();
            append(&log, 0..60).await;
            let all = stored(&log);
            let copy = if killed_before {
                killed(&home)
            } else {
                drop(log);
                killed(&home)
            };
            let path = file.get(&copy.segments()).clone();
            let mut bytes = fs::read(&path).unwrap();
            for change in &changes {
                if !bytes.is_empty() {
                    apply(&mut bytes, change);
                }
            }
            fs::write(&path, bytes).unwrap();
            for _ in 0..2 {
                look(&copy, &all).await;
            }
        });
    }
}

/// Opens the log if that is possible, and reads what it has.
async fn look(home: &Home, all: &[StoredPart]) {
    let before = lengths(home.path());
    match home.try_open() {
        Ok(log) => {
            for part in stored(&log) {
                assert!(all.contains(&part), "{part:?} was never written");
            }
            for table in ["a", "b"] {
                let lane = lane(1, table);
                if let Some(waiting) = log.waiting(&lane) {
                    assert_eq!(
                        waiting.part_count,
                        read_all(&log, &lane, Lsn::ZERO).len() as u64
                    );
                    home.acknowledge(&log, &lane, waiting.last).await;
                    assert_eq!(log.waiting(&lane), None);
                    home.acknowledged.lock().unwrap().clear();
                }
            }
            log.append(entry(1, vec![part("c", "")])).await.unwrap();
        }
        Err(
            OpenError::UnknownVersion { .. } | OpenError::WrongKey | OpenError::ForeignSegment(_),
        ) => {
            assert_eq!(lengths(home.path()), before);
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn lengths(directory: &Path) -> Vec<u64> {
    let paths = segments(directory).into_iter();
    paths.map(|path| path.metadata().unwrap().len()).collect()
}
