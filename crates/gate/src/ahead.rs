//! A large body is compressed while it is checked, if a processor and memory for that are free: who pushes alone has the answer
//! sooner, and nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use selvedge_spool::Squeezed;
use selvedge_types::AccountId;
use tokio::task::JoinHandle;

use crate::Gate;
use crate::turns::Turn;

/// What a smaller body takes is not worth another thread.
const LEAST_BYTES: usize = 512 << 10;

/// A body that is being compressed. Dropping it ends that.
pub(crate) struct Ahead {
    compressing: JoinHandle<Option<Squeezed>>,
    unwanted: Arc<AtomicBool>,
    /// Held as long as what comes of it may be.
    _memory: Turn,
}

impl Ahead {
    /// None when the body is small, or everything is busy.
    pub(crate) fn begin(gate: &Gate, account: AccountId, body: &Bytes) -> Option<Self> {
        if body.len() < LEAST_BYTES {
            return None;
        }
        let memory = gate
            .turns
            .spare_memory(account, Squeezed::most(body.len()))?;
        let worker = gate.turns.spare_worker(account)?;
        let unwanted = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&unwanted);
        let body = body.clone();
        let compressing = tokio::task::spawn_blocking(move || {
            let squeezed = Squeezed::ahead(body, &|| !over.load(Ordering::Relaxed));
            drop(worker);
            squeezed
        });
        Some(Self {
            compressing,
            unwanted,
            _memory: memory,
        })
    }

    /// What the body became; None when it was not worth it.
    pub(crate) async fn finish(&mut self) -> Option<Squeezed> {
        match (&mut self.compressing).await {
            Ok(squeezed) => squeezed,
            Err(error) => {
                tracing::error!(%error, "compressing a body crashed");
                None
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}
