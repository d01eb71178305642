//! How much a run holds in memory, and how often it commits.

/// Bounds of a run. Their sum decides how much memory one running source takes.
#[derive(Clone, Debug)]
pub struct RunLimits {
    /// Size of a batch between source and destination.
    pub batch_bytes: usize,
    pub batch_rows: usize,
    /// A checkpoint is due after this many bytes …
    pub checkpoint_bytes: usize,
    /// … or this many seconds, whichever comes first.
    pub checkpoint_seconds: i64,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            batch_bytes: 1 << 20,
            batch_rows: 16_384,
            // Large enough that a commit's cost vanishes, small enough that little is repeated after a crash.
            checkpoint_bytes: 64 << 20,
            checkpoint_seconds: 30,
        }
    }
}
