//! Appending, reading, acknowledging, and opening again.

use selvedge_spool::{AppendError, Condition, IntakeLog, Lsn, OpenError, Part, next_part};
use selvedge_types::Timestamp;

use crate::support::{Home, entry, lane, noise, part, payloads, read_all};

#[tokio::test]
async fn what_was_appended_is_read_back_in_order_lane_by_lane() {
    let home = Home::new();
    let log = home.open();
    let first = Part {
        record_count: 20,
        table_version: Some(-3),
        urgent: true,
        ..part("parcels", vec![b'x'; 100_000])
    };
    let second = part("trips", "second");
    let lsn = log
        .append(entry(1, vec![first.clone(), second]))
        .await
        .unwrap();
    assert_eq!(lsn, Lsn(1));
    log.append(entry(1, vec![part("trips", "third")]))
        .await
        .unwrap();
    log.append(entry(2, vec![part("trips", "of another")]))
        .await
        .unwrap();

    let stored = read_all(&log, &lane(1, "parcels"), Lsn::ZERO);
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].lsn, lsn);
    assert_eq!(stored[0].record_count, 20);
    assert_eq!(stored[0].table_version, Some(-3));
    assert_eq!(stored[0].received_at, Timestamp::from_micros(1_001));
    assert_eq!(stored[0].header, first.header);
    assert_eq!(stored[0].payload, first.payload);
    assert!(stored[0].urgent);
    let trips = lane(1, "trips");
    assert_eq!(payloads(&log, &trips, Lsn::ZERO), ["second", "third"]);
    assert_eq!(payloads(&log, &trips, lsn), ["third"]);
    assert!(payloads(&log, &lane(1, "nothing"), Lsn::ZERO).is_empty());

    let waiting = log.waiting(&lane(1, "parcels")).unwrap();
    assert_eq!(
        (waiting.part_count, waiting.record_count, waiting.byte_count),
        (1, 20, 100_006)
    );
    assert!(waiting.urgent);
    assert_eq!(log.lanes().len(), 3);
    assert_eq!(*log.durable().borrow(), Lsn(3));
    assert_eq!(log.status().condition, Condition::Ready);
    assert_eq!(log.status().waiting_parts, 4);
}

#[tokio::test]
async fn a_reader_goes_on_when_more_becomes_durable() {
    let home = Home::new();
    let log = home.open();
    let mut durable = log.durable();
    let mut reader = log.read(&lane(1, "t"), Lsn::ZERO);
    for number in 0..5u8 {
        let next;
        (reader, next) = next_part(reader).await;
        assert_eq!(next.unwrap(), None);
        // Each of these is larger than what is left of its segment.
        log.append(entry(1, vec![part("t", noise(number.into(), 20_000))]))
            .await
            .unwrap();
        durable.changed().await.unwrap();
        let next;
        (reader, next) = next_part(reader).await;
        assert_eq!(next.unwrap().unwrap().payload, noise(number.into(), 20_000));
    }
}

#[tokio::test]
async fn what_is_acknowledged_stays_so_and_the_rest_waits_after_opening_again() {
    let home = Home::new();
    let log = home.open();
    let id = log.id();
    for number in 0..100 {
        let table = ["a", "b", "c"][number % 3];
        log.append(entry(1, vec![part(table, noise(number as u64, 1_000))]))
            .await
            .unwrap();
    }
    assert!(home.segments().len() > 2);
    home.acknowledge(&log, &lane(1, "a"), Lsn(50)).await;
    home.acknowledge(&log, &lane(1, "b"), Lsn(100)).await;
    let before: Vec<_> = ["a", "b", "c"]
        .map(|table| {
            let lane = lane(1, table);
            (log.waiting(&lane), read_all(&log, &lane, Lsn::ZERO))
        })
        .into();
    assert_eq!(before[0].1.len(), 17);
    assert_eq!(before[0].0.as_ref().unwrap().part_count, 17);
    assert!(before[1].1.is_empty() && before[1].0.is_none());
    assert_eq!(before[2].1.len(), 33);
    let status = log.status();
    drop(log);

    for _ in 0..2 {
        let log = home.open();
        assert_eq!(log.id(), id);
        for (table, before) in ["a", "b", "c"].iter().zip(&before) {
            let lane = lane(1, table);
            assert_eq!(log.waiting(&lane), before.0);
            assert_eq!(read_all(&log, &lane, Lsn::ZERO), before.1);
        }
        assert_eq!(log.status().waiting_bytes, status.waiting_bytes);
        assert_eq!(log.status().durable, Lsn(100));
        assert_eq!(log.status().damaged, 0);
    }
    let log = home.open();
    let next = log.append(entry(1, vec![part("a", "")])).await.unwrap();
    assert_eq!(next, Lsn(101));
}

#[tokio::test]
async fn positions_go_on_when_every_segment_is_gone() {
    let home = Home::new();
    for expected in 1..=4 {
        let log = home.open();
        let lsn = log.append(entry(1, vec![part("t", "x")])).await.unwrap();
        assert_eq!(lsn, Lsn(expected));
        home.acknowledge(&log, &lane(1, "t"), lsn).await;
        log.close().await;
        log.tidy().unwrap();
        drop(log);
        let log = home.open();
        log.tidy().unwrap();
        assert_eq!(home.segments().len(), 1);
        assert_eq!(log.status().horizon, lsn);
    }
}

#[tokio::test]
async fn a_part_of_a_lane_can_be_discarded_and_is_told() {
    let home = Home::new();
    let log = home.open();
    for number in 0..10 {
        log.append(entry(1, vec![part("t", noise(number, 10_000))]))
            .await
            .unwrap();
    }
    let gone = log.discard(&lane(1, "t"), Lsn(4)).await.unwrap().unwrap();
    assert_eq!(
        (gone.first, gone.last, gone.part_count),
        (Lsn(1), Lsn(4), 4)
    );
    assert_eq!(gone.byte_count, 40_024);
    assert_eq!(log.discard(&lane(1, "t"), Lsn(4)).await.unwrap(), None);
    assert_eq!(log.waiting(&lane(1, "t")).unwrap().first, Lsn(5));
}

#[tokio::test]
async fn what_waits_too_long_expires_from_the_beginning_of_its_lane() {
    let home = Home::new();
    let log = home.open();
    let day = 24 * 60 * 60 * 1_000_000i64;
    for (table, days) in [("t", 0), ("t", 1), ("u", 31), ("t", 29), ("t", 0)] {
        let mut entry = entry(1, vec![part(table, noise(days as u64, 20_000))]);
        entry.received_at = Timestamp::from_micros(days * day);
        log.append(entry).await.unwrap();
    }
    assert!(log.discard_expired().await.unwrap().is_empty());
    home.clock.advance_seconds(32 * 24 * 60 * 60);
    let gone = log.discard_expired().await.unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!((gone[0].first, gone[0].last), (Lsn(1), Lsn(2)));
    assert_eq!(log.waiting(&lane(1, "t")).unwrap().part_count, 2);
    assert_eq!(log.waiting(&lane(1, "u")).unwrap().part_count, 1);
}

#[tokio::test]
async fn a_second_log_in_the_same_directory_and_another_key_are_refused() {
    let home = Home::new();
    let log = home.open();
    log.append(entry(1, vec![part("t", "x")])).await.unwrap();
    assert!(matches!(home.try_open(), Err(OpenError::Locked(_))));
    drop(log);
    assert!(matches!(
        home.try_open_with([8; 32]),
        Err(OpenError::WrongKey)
    ));
    assert_eq!(payloads(&home.open(), &lane(1, "t"), Lsn::ZERO), ["x"]);
}

#[tokio::test]
async fn entries_too_large_and_appends_after_closing_are_refused() {
    let mut home = Home::new();
    home.settings.entry_bytes = 1_000;
    let log = home.open();
    assert!(matches!(
        log.append(entry(1, vec![part("t", vec![0; 1_000])])).await,
        Err(AppendError::TooLarge { limit: 1_000, .. })
    ));
    log.append(entry(1, vec![part("t", "x")])).await.unwrap();
    log.close().await;
    assert!(matches!(
        log.append(entry(1, vec![part("t", "x")])).await,
        Err(AppendError::Closed)
    ));
    assert_eq!(log.status().condition, Condition::Closed);
    assert_eq!(payloads(&log, &lane(1, "t"), Lsn::ZERO), ["x"]);
}

#[tokio::test]
async fn an_account_with_too_much_waiting_is_refused_until_it_is_loaded() {
    let mut home = Home::new();
    home.settings.quota_bytes = Some(25_000);
    let log = home.open();
    let lane = lane(1, "t");
    for number in 0..2 {
        log.append(entry(1, vec![part("t", noise(number, 10_000))]))
            .await
            .unwrap();
    }
    let refused = log
        .append(entry(1, vec![part("t", noise(9, 10_000))]))
        .await;
    assert!(matches!(
        refused,
        Err(AppendError::QuotaExceeded { quota: 25_000, .. })
    ));
    log.append(entry(2, vec![part("t", noise(9, 10_000))]))
        .await
        .unwrap();
    home.acknowledge(&log, &lane, Lsn(1)).await;
    log.append(entry(1, vec![part("t", noise(9, 10_000))]))
        .await
        .unwrap();
    assert_eq!(log.waiting(&lane).unwrap().part_count, 2);
}
