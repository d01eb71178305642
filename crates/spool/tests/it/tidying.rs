//! Disk space comes back, and nobody's data goes with it.

use selvedge_spool::{IntakeLog, Lsn};

use crate::support::{Home, entry, lane, noise, part, payloads, read_all};

fn disk_bytes(home: &Home) -> u64 {
    let lengths = home
        .segments()
        .into_iter()
        .map(|path| path.metadata().unwrap().len());
    lengths.sum()
}

#[tokio::test]
async fn segments_that_nobody_waits_for_are_removed() {
    let home = Home::new();
    let log = home.open();
    for number in 0..20 {
        log.append(entry(1, vec![part("t", noise(number, 5_000))]))
            .await
            .unwrap();
    }
    log.tidy().unwrap();
    assert!(home.segments().len() >= 5);
    assert_eq!(payloads(&log, &lane(1, "t"), Lsn::ZERO).len(), 20);
    home.acknowledge(&log, &lane(1, "t"), Lsn(20)).await;
    // The writer may still be about to close the last one.
    while home.segments().len() > 1 {
        log.tidy().unwrap();
    }
    assert_eq!(log.status().waiting_lanes, 0);
}

#[tokio::test]
async fn a_destination_that_is_away_keeps_its_own_data_only() {
    let mut home = Home::new();
    home.settings.segment_bytes = 200_000;
    home.settings.rewrite_bytes = 64_000;
    let log = home.open();
    let mut kept = Vec::new();
    for number in 0..200u64 {
        let away = noise(number, 200);
        kept.push(away.clone());
        let parts = if number % 2 == 0 {
            vec![part("away", away), part("here", noise(number, 10_000))]
        } else {
            log.append(entry(1, vec![part("here", noise(number, 10_000))]))
                .await
                .unwrap();
            vec![part("here", noise(number, 3_000)), part("away", away)]
        };
        log.append(entry(1, parts)).await.unwrap();
    }
    let before = disk_bytes(&home);
    // Somebody reads while the files are replaced.
    let mut reader = log.read(&lane(1, "away"), Lsn::ZERO);
    assert_eq!(reader.next().unwrap().unwrap().payload, kept[0]);
    home.acknowledge(&log, &lane(1, "here"), Lsn(300)).await;
    let waiting = log.waiting(&lane(1, "away"));
    log.tidy().unwrap();
    assert!(disk_bytes(&home) < before / 8, "{before} were hardly fewer");
    for kept in &kept[1..] {
        assert_eq!(reader.next().unwrap().unwrap().payload, kept);
    }
    assert_eq!(payloads(&log, &lane(1, "away"), Lsn::ZERO), kept);
    assert_eq!(log.waiting(&lane(1, "away")), waiting);

    let files = home.segments();
    let lengths = |files: &[std::path::PathBuf]| -> Vec<_> {
        let lengths = files.iter().map(|path| path.metadata().unwrap().len());
        lengths.collect()
    };
    let settled = lengths(&files);
    log.tidy().unwrap();
    assert_eq!(lengths(&files), settled, "nothing is rewritten twice");
    let before = read_all(&log, &lane(1, "away"), Lsn::ZERO);
    drop(log);
    let log = home.open();
    assert_eq!(read_all(&log, &lane(1, "away"), Lsn::ZERO), before);
    assert_eq!(log.waiting(&lane(1, "away")), waiting);
    assert_eq!(log.waiting(&lane(1, "here")), None);
    assert_eq!(log.status().damaged, 0);
}

#[tokio::test]
async fn an_old_segment_is_closed_when_most_of_it_is_loaded() {
    let home = Home::new();
    let log = home.open();
    let lsn = log.append(entry(1, vec![part("t", "x")])).await.unwrap();
    let first = home.segments();
    home.acknowledge(&log, &lane(1, "t"), lsn).await;
    log.tidy().unwrap();
    assert_eq!(home.segments(), first);
    home.clock.advance_seconds(3_601);
    // The writer closes it on its own thread.
    while home.segments() == first {
        log.tidy().unwrap();
        tokio::task::yield_now().await;
    }
    while home.segments().len() > 1 {
        log.tidy().unwrap();
    }
    assert_eq!(log.status().horizon, lsn);
}

#[tokio::test]
async fn a_log_tidies_by_itself() {
    let mut home = Home::new();
    home.settings.tidy_interval = Some(std::time::Duration::from_millis(1));
    let log = home.open();
    for number in 0..10 {
        log.append(entry(1, vec![part("t", noise(number, 5_000))]))
            .await
            .unwrap();
    }
    home.acknowledge(&log, &lane(1, "t"), Lsn(10)).await;
    while home.segments().len() > 1 {
        tokio::task::yield_now().await;
    }
}
