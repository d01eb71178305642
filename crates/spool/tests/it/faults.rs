//! Disks that are full, break, or lose power, at every step of a life.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use selvedge_spool::{AppendError, Condition, IntakeLog, Lsn};

use crate::sim_disk::{Fault, SimDisk, Step};
use crate::story::Story;
use crate::support::{Home, Random, entry, lane, noise, part, payloads};

/// Zeros that the logs of these lives write ahead: none, and so many that they are used up now and then.
const AHEAD: [usize; 2] = [0, 1_500];

/// What a life asks of the disk when nothing goes wrong.
async fn steps_of_a_life(ahead: usize) -> Vec<Step> {
    let disk = SimDisk::default();
    let home = Home::on(Arc::new(disk.clone())).ahead(ahead);
    let log = Arc::new(home.open());
    let mut story = Story::new();
    story.live(&home, &log).await;
    story.check(&home, &log);
    log.close().await;
    drop(log);
    story.check(&home, &home.open());
    assert_eq!(story.refused_count(), 0);
    disk.steps()
}

#[tokio::test]
async fn whatever_the_moment_of_a_crash_all_that_was_confirmed_is_there() {
    for ahead in AHEAD {
        crash_everywhere(ahead).await;
    }
}

async fn crash_everywhere(ahead: usize) {
    let steps = steps_of_a_life(ahead).await;
    assert!(steps.len() > 100, "{} steps are few", steps.len());
    for crash_at in 0..steps.len() as u64 {
        let disk = SimDisk::default();
        disk.crash_at(crash_at);
        let home = Home::on(Arc::new(disk.clone())).ahead(ahead);
        let mut story = Story::new();
        {
            let log = Arc::new(home.open());
            story.live(&home, &log).await;
        }
        let mut random = Random::new(crash_at);
        for _ in 0..3 {
            let mut after = Home::quick().ahead(ahead);
            after.acknowledged = home.acknowledged.lock().unwrap().clone().into();
            disk.after_power_loss(after.path(), &mut random);
            let log = after.open();
            story.check(&after, &log);
            let last = story.confirmed.keys().next_back().copied();
            let lsn = log
                .append(entry(1, vec![part("other", "x")]))
                .await
                .unwrap();
            assert!(Some(lsn) > last, "position {lsn} was given twice");
            drop(log);
            story.check(&after, &after.open());
        }
    }
}

#[tokio::test]
async fn whatever_step_fails_once_nothing_is_lost_and_nothing_refused_appears() {
    for ahead in AHEAD {
        fail_everywhere(ahead).await;
    }
}

async fn fail_everywhere(ahead: usize) {
    let steps = steps_of_a_life(ahead).await;
    for fault in [Fault::NoSpace, Fault::Broken, Fault::Short] {
        for (at, step) in (0..).zip(&steps) {
            let possible = match fault {
                Fault::Broken => true,
                Fault::NoSpace => matches!(step, Step::Create | Step::Write | Step::Sync),
                Fault::Short => *step == Step::Write,
            };
            if !possible {
                continue;
            }
            let disk = SimDisk::default();
            disk.fail_at(at, fault);
            let home = Home::on(Arc::new(disk)).ahead(ahead);
            let mut story = Story::new();
            let log = Arc::new(home.open());
            story.live(&home, &log).await;
            story.check(&home, &log);
            story.check_refused(&log);
            assert!(
                story.refused_count() <= 3,
                "one fault refused more than a group"
            );
            // The fault may still be to come, and closing a segment may meet it.
            let mut attempts = 0;
            while log
                .append(entry(1, vec![part("other", "x")]))
                .await
                .is_err()
                || log.status().condition != Condition::Ready
            {
                attempts += 1;
                assert!(attempts < 3, "{:?}", log.status());
            }
            drop(log);
            let log = home.open();
            story.check(&home, &log);
            story.check_refused(&log);
        }
    }
}

#[tokio::test]
async fn a_disk_below_its_reserve_refuses_until_there_is_room_again() {
    let disk = SimDisk::default();
    let mut home = Home::on(Arc::new(disk.clone()));
    home.settings.reserve_bytes = 1_000_000;
    let log = home.open();
    log.append(entry(1, vec![part("t", "before")]))
        .await
        .unwrap();
    disk.set_free_bytes(1_001_000);
    assert_eq!(log.status().condition, Condition::Ready);
    let large = entry(1, vec![part("t", noise(1, 2_000))]);
    assert!(matches!(log.append(large).await, Err(AppendError::Full)));
    disk.set_free_bytes(900_000);
    assert_eq!(log.status().condition, Condition::Full);
    let small = entry(1, vec![part("t", "during")]);
    assert!(matches!(log.append(small).await, Err(AppendError::Full)));
    disk.set_free_bytes(2_000_000);
    let lsn = log
        .append(entry(1, vec![part("t", "after")]))
        .await
        .unwrap();
    assert_eq!(lsn, Lsn(2));
    assert_eq!(log.status().condition, Condition::Ready);
    assert_eq!(
        payloads(&log, &lane(1, "t"), Lsn::ZERO),
        ["before", "after"]
    );
}

#[tokio::test]
async fn a_log_opens_on_a_full_disk_and_can_be_drained() {
    let disk = SimDisk::default();
    let home = Home::on(Arc::new(disk.clone()));
    let log = home.open();
    log.append(entry(1, vec![part("t", "x")])).await.unwrap();
    drop(log);
    disk.fail_at(disk.operations(), Fault::NoSpace);
    let log = home.open();
    assert_eq!(log.status().condition, Condition::Full);
    assert_eq!(payloads(&log, &lane(1, "t"), Lsn::ZERO), ["x"]);
    home.acknowledge(&log, &lane(1, "t"), Lsn(1)).await;
    log.tidy().unwrap();
    let lsn = log.append(entry(1, vec![part("t", "y")])).await.unwrap();
    assert_eq!(lsn, Lsn(2));
}

#[tokio::test]
async fn entries_that_come_together_share_one_sync() {
    let disk = SimDisk::default();
    let mut home = Home::on(Arc::new(disk.clone()));
    home.settings.segment_bytes = 1 << 20;
    let log = Arc::new(home.open());
    let started = Arc::new(AtomicUsize::new(0));
    let append = |account: i64, payload: Vec<u8>| {
        let (log, started) = (Arc::clone(&log), Arc::clone(&started));
        tokio::spawn(async move {
            started.fetch_add(1, Ordering::SeqCst);
            log.append(entry(account, vec![part("t", payload)])).await
        })
    };
    let before = disk.syncs();
    disk.hold_syncs();
    // The writer has taken the first when it comes to the sync.
    let operations = disk.operations();
    let mut tasks = vec![append(1, vec![])];
    while disk.operations() < operations + 2 {
        tokio::task::yield_now().await;
    }
    tasks.extend((0..200).map(|_| append(1, vec![1; 30])));
    tasks.extend((0..3).map(|_| append(2, vec![2; 30])));
    // On one thread, whoever has had a turn has come as far as it can.
    while started.load(Ordering::SeqCst) < tasks.len() {
        tokio::task::yield_now().await;
    }
    disk.let_syncs_go();
    let mut lsns = Vec::new();
    for task in tasks {
        lsns.push(task.await.unwrap().unwrap().0);
    }
    assert_eq!(disk.syncs() - before, 2);
    // The second account's turns come between the first one's.
    assert!(
        lsns[201..].iter().all(|lsn| *lsn <= 8),
        "{:?}",
        &lsns[201..]
    );
}

#[tokio::test]
async fn a_write_that_finds_no_room_leaves_the_file_as_it_was() {
    let disk = SimDisk::default();
    let home = Home::on(Arc::new(disk.clone()));
    let log = home.open();
    log.append(entry(1, vec![part("t", "x")])).await.unwrap();
    let path = home.segments().pop().unwrap();
    let before = std::fs::read(&path).unwrap();
    disk.fail_at(disk.operations(), Fault::Short);
    let refused = log.append(entry(1, vec![part("t", noise(1, 9_000))])).await;
    assert!(matches!(refused, Err(AppendError::Full)));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let lsn = log.append(entry(1, vec![part("t", "y")])).await.unwrap();
    assert_eq!(lsn, Lsn(2));
}

#[tokio::test]
async fn what_a_failed_sync_left_behind_is_never_read() {
    let disk = SimDisk::default();
    let home = Home::on(Arc::new(disk.clone()));
    let log = home.open();
    log.append(entry(1, vec![part("kept", "kept")]))
        .await
        .unwrap();
    // The bytes of this one stay in the file, whole.
    disk.fail_at(disk.operations() + 1, Fault::Broken);
    let refused = log.append(entry(1, vec![part("kept", "refused")])).await;
    assert!(matches!(refused, Err(AppendError::Unavailable { .. })));
    // Of the segments after it, the one that says where it ends is no longer needed for itself.
    for number in 0..4 {
        log.append(entry(1, vec![part("t", noise(number, 20_000))]))
            .await
            .unwrap();
    }
    let newest = *log.durable().borrow();
    home.acknowledge(&log, &lane(1, "t"), newest).await;
    log.tidy().unwrap();
    assert_eq!(payloads(&log, &lane(1, "kept"), Lsn::ZERO), ["kept"]);
    drop(log);
    let log = home.open();
    assert_eq!(payloads(&log, &lane(1, "kept"), Lsn::ZERO), ["kept"]);
    // By now the segment says so itself.
    log.tidy().unwrap();
    drop(log);
    let log = home.open();
    assert_eq!(payloads(&log, &lane(1, "kept"), Lsn::ZERO), ["kept"]);
    assert_eq!(home.segments().len(), 2);
}
