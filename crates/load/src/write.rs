//! Durable writes alone: the bytes as they are, to files of the file system that the server uses.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use clap::Args;

use crate::latencies::Latencies;
use crate::span::SpanArguments;
use crate::threads;

#[derive(Args)]
pub(crate) struct WriteArguments {
    #[arg(long)]
    body_file: PathBuf,
    /// Where the files are; they have no names and are gone afterwards.
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    writers: usize,
    /// All writers share one file, and what they have at a time is written and synced together. Otherwise each has a file of
    /// its own and syncs after each body, as `dd` does that is told to.
    #[arg(long)]
    grouped: bool,
    #[command(flatten)]
    span: SpanArguments,
}

/// What the files of all writers may take on the disk. A file that has its part is left for a new one.
const ALL_FILE_BYTES: u64 = 1 << 30;

pub(crate) fn run(arguments: &WriteArguments) -> Result<()> {
    let path = &arguments.body_file;
    let body = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let latencies = match arguments.grouped {
        true => grouped(arguments, &body)?,
        false => each(arguments, &body)?,
    };
    println!("{}", arguments.span.summary(latencies)?);
    Ok(())
}

fn each(arguments: &WriteArguments, body: &[u8]) -> Result<Latencies> {
    let mut workers = Vec::new();
    for _ in 0..arguments.writers {
        let mut disk = Disk::open(&arguments.folder, ALL_FILE_BYTES / arguments.writers as u64)?;
        workers.push(move || Ok(disk.write_and_sync(body)?));
    }
    threads::repeat(workers, arguments.span.begin()?)
}

fn grouped(arguments: &WriteArguments, body: &[u8]) -> Result<Latencies> {
    let disk = Disk::open(&arguments.folder, ALL_FILE_BYTES)?;
    let (sender, jobs) = mpsc::channel();
    let writer = thread::spawn(move || write_groups(disk, &jobs));
    let workers = (0..arguments.writers).map(|_| {
        let sender = sender.clone();
        move || {
            // Of its own for each body: it tells when the writer is gone.
            let (answer, answered) = mpsc::sync_channel(1);
            let job = (body.to_vec(), answer);
            sender.send(job).context("the writer ended")?;
            answered.recv().context("the writer ended")
        }
    });
    let latencies = threads::repeat(workers.collect(), arguments.span.begin()?);
    drop(sender);
    let written = writer.join().map_err(|_| anyhow!("the writer panicked"))?;
    written.context("what was to be compared with could not be written")?;
    latencies
}

/// Takes what waits, writes it in one go and syncs once.
fn write_groups(mut disk: Disk, jobs: &Receiver<(Vec<u8>, SyncSender<()>)>) -> io::Result<()> {
    while let Ok((mut together, answer)) = jobs.recv() {
        let mut answers = vec![answer];
        while let Ok((bytes, answer)) = jobs.try_recv() {
            together.extend_from_slice(&bytes);
            answers.push(answer);
        }
        disk.write_and_sync(&together)?;
        for answer in answers {
            // Whoever does not wait any more has counted enough.
            let _ = answer.send(());
        }
    }
    Ok(())
}

struct Disk {
    folder: PathBuf,
    file: File,
    /// Sizes are in bytes.
    written: u64,
    limit: u64,
}

impl Disk {
    fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            file: tempfile::tempfile_in(folder)?,
            written: 0,
            limit,
        })
    }

    fn write_and_sync(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.written >= self.limit {
            *self = Self::open(&self.folder, self.limit)?;
        }
        self.file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        self.file.sync_data()
    }
}
