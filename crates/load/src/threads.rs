//! Threads that do the same thing over and over, each for itself.

use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::latencies::Latencies;
use crate::span::Span;

/// Calls each worker again and again, on a thread of its own, until the span is over. What a call takes is a latency.
pub(crate) fn repeat<W: FnMut() -> Result<()> + Send>(
    workers: Vec<W>,
    span: Span,
) -> Result<Latencies> {
    thread::scope(|scope| {
        let threads: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(move || keep_working(worker, span)))
            .collect();
        let mut all = Latencies::default();
        for thread in threads {
            let latencies = thread.join().map_err(|_| anyhow!("a thread panicked"))??;
            all.merge(latencies);
        }
        Ok(all)
    })
}

fn keep_working(mut worker: impl FnMut() -> Result<()>, span: Span) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    loop {
        let begun = Instant::now();
        worker()?;
        let done = Instant::now();
        if done > span.until {
            return Ok(latencies);
        }
        if done > span.from {
            latencies.add(done - begun);
        }
    }
}
