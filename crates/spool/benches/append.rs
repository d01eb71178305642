//! What it costs that accepted means durable, next to writing the same bytes plainly with one sync per group, in one run.
//!
//! `cargo xtask bench spool` runs it. The rounds of both alternate; medians are shown. Plain writers neither compress nor encrypt
//! nor check, and keep no index.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use selvedge_spool::{Entry, IntakeLog, Lane, Lsn, Part, SegmentLog, Settings, SpoolKey};
use selvedge_types::{AccountId, Clock, SourceId, Timestamp};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

const ROUNDS: usize = 5;

struct Workload {
    name: &'static str,
    tasks: usize,
    /// Of each task.
    entries: usize,
    payload: Bytes,
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

/// Records as they are pushed: names that repeat, values that do not.
fn json_records(length: usize) -> Bytes {
    let mut text = Vec::with_capacity(length + 200);
    let mut number = 1u64;
    while text.len() < length {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (id, weight) = (number >> 24, number >> 50);
        writeln!(
            text,
            r#"{{"action":"upsert","sequence":{id},"data":{{"parcel_id":{id},"label":"blue {weight}","weight_kg":{weight}.5,"sent_at":"2023-11-14T22:13:20Z"}}}},"#
        )
        .expect("memory takes it");
    }
    text.truncate(length);
    text.into()
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .build()
            .expect("a runtime can be started")
    })
}

fn open(directory: &Path) -> SegmentLog {
    let settings = Settings {
        tidy_interval: None,
        reserve_bytes: 0,
        ..Settings::default()
    };
    let key = SpoolKey::new([1; 32]);
    SegmentLog::open(directory, key, settings, Arc::new(Standing), &|_, _| {
        Lsn::ZERO
    })
    .expect("a log can be opened")
}

fn entry(account: i64, payload: Bytes) -> Entry {
    Entry {
        account: AccountId(account),
        source: SourceId(account),
        received_at: Timestamp::from_micros(0),
        parts: vec![Part {
            destination: None,
            table_name: "parcels".into(),
            record_count: 1,
            urgent: false,
            table_version: None,
            header: Bytes::from_static(br#"{"table_name":"parcels","key_names":["parcel_id"]}"#),
            payload,
        }],
        squeezed: None,
    }
}

/// Runs one future per task and gives the time until the last is done.
async fn all<F: Future<Output = ()> + Send + 'static>(tasks: impl Iterator<Item = F>) -> Duration {
    let start = Instant::now();
    let tasks: Vec<_> = tasks.map(tokio::spawn).collect();
    for task in tasks {
        task.await.expect("a task ends well");
    }
    start.elapsed()
}

fn spool(workload: &Workload) -> (Duration, Duration) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let log = Arc::new(open(directory.path()));
    let written = runtime().block_on(all((0..workload.tasks).map(|task| {
        let (log, payload) = (Arc::clone(&log), workload.payload.clone());
        let entries = workload.entries;
        async move {
            for _ in 0..entries {
                log.append(entry(task as i64 + 1, payload.clone()))
                    .await
                    .expect("the entry is kept");
            }
        }
    })));
    let start = Instant::now();
    let mut count = 0;
    for task in 0..workload.tasks {
        let lane = Lane {
            source: SourceId(task as i64 + 1),
            destination: None,
            table_name: "parcels".into(),
        };
        let mut reader = log.read(&lane, Lsn::ZERO);
        while reader.next().expect("the log can be read").is_some() {
            count += 1;
        }
    }
    assert_eq!(count, workload.tasks * workload.entries);
    (written, start.elapsed())
}

/// The reference: one thread takes what waits, writes it and syncs once.
fn plain_writer(
    mut file: File,
    jobs: &mpsc::Receiver<(Bytes, oneshot::Sender<()>)>,
) -> io::Result<()> {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        let mut size = 0;
        while size < (8 << 20)
            && let Ok(job) = jobs.try_recv()
        {
            size += job.0.len();
            group.push(job);
        }
        let mut together = Vec::new();
        for (bytes, _) in &group {
            if bytes.len() > (256 << 10) {
                file.write_all(&together)?;
                together.clear();
                file.write_all(bytes)?;
            } else {
                together.extend_from_slice(bytes);
            }
        }
        file.write_all(&together)?;
        file.sync_data()?;
        for (_, answer) in group {
            let _ = answer.send(());
        }
    }
    Ok(())
}

fn plain(workload: &Workload) -> Duration {
    let file = tempfile::tempfile().expect("a file can be made");
    let (sender, jobs) = mpsc::channel();
    let writer = std::thread::spawn(move || plain_writer(file, &jobs));
    let written = runtime().block_on(all((0..workload.tasks).map(|_| {
        let (sender, payload) = (sender.clone(), workload.payload.clone());
        let entries = workload.entries;
        async move {
            for _ in 0..entries {
                let (answer, answered) = oneshot::channel();
                sender
                    .send((payload.clone(), answer))
                    .expect("the writer runs");
                answered.await.expect("the bytes are written");
            }
        }
    })));
    drop(sender);
    writer
        .join()
        .expect("the writer ends well")
        .expect("the file can be written");
    written
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    let workloads = [
        Workload {
            name: "300 B from 64 tasks",
            tasks: 64,
            entries: 500,
            payload: json_records(300),
        },
        Workload {
            name: "4 MB from 1 task",
            tasks: 1,
            entries: 24,
            payload: json_records(4 << 20),
        },
        Workload {
            name: "4 MB from 8 tasks",
            tasks: 8,
            entries: 4,
            payload: json_records(4 << 20),
        },
    ];
    println!(
        "{:<22}{:>14}{:>14}{:>14}",
        "", "spool", "plain", "reading back"
    );
    for workload in &workloads {
        let (mut spooled, mut read, mut plainly) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (written, back) = spool(workload);
            spooled.push(written);
            read.push(back);
            plainly.push(plain(workload));
        }
        let entries = (workload.tasks * workload.entries) as f64;
        let megabytes = entries * workload.payload.len() as f64 / 1e6;
        let [spooled, plainly, read] = [spooled, plainly, read].map(median);
        for (unit, amount) in [("entries/s", entries), ("MB/s", megabytes)] {
            println!(
                "{:<22}{:>14.0}{:>14.0}{:>14.0}  {unit}",
                workload.name,
                amount / spooled,
                amount / plainly,
                amount / read,
            );
        }
    }
}
