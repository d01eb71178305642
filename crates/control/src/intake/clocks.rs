//! Sequences of sources that number what they receive: milliseconds since 1970, but each greater than the one before.
//!
//! Numbers are reserved in the store some way ahead, so that a server that starts again, or whose clock was set back, goes on
//! behind every number it has given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use selvedge_store::intake_clocks;
use selvedge_types::{AccountScope, SourceId};
use tokio::sync::OwnedMutexGuard;

use crate::{Control, ControlError};

/// Numbers reserved beyond what is needed at once: a minute's worth.
const AHEAD: i64 = 60_000;

/// The clocks of all sources that have received something since the server started.
#[derive(Clone, Debug, Default)]
pub struct SequenceClocks {
    by_source: Arc<Mutex<HashMap<SourceId, Arc<tokio::sync::Mutex<SequenceClock>>>>>,
}

#[derive(Debug, Default)]
struct SequenceClock {
    /// The last number given.
    last: i64,
    /// The last number reserved.
    reserved: i64,
}

/// A source's clock while nobody else of the source reads it.
#[derive(Debug)]
pub struct SequenceTurn {
    clock: OwnedMutexGuard<SequenceClock>,
    first: i64,
}

impl SequenceClocks {
    /// Waits for the source's clock, and reserves `count` numbers, of which fewer may be used.
    ///
    /// # Errors
    /// The store could not be asked; also when the source is gone.
    pub async fn turn(
        &self,
        control: &Control,
        scope: AccountScope,
        source: SourceId,
        count: i64,
    ) -> Result<SequenceTurn, ControlError> {
        let clock = {
            let mut clocks = self
                .by_source
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(clocks.entry(source).or_default())
        };
        let mut clock = clock.lock_owned().await;
        let mut first = control.now().as_millis().max(clock.last + 1);
        if first + count - 1 > clock.reserved {
            let block = count + AHEAD;
            let mut tx = control.store().begin().await?;
            let upto = intake_clocks::reserve(&mut tx, scope, source, first - 1, block)
                .await?
                .ok_or(ControlError::SourceNotFound(source))?;
            tx.commit().await?;
            first = first.max(upto - block + 1);
            clock.reserved = upto;
        }
        Ok(SequenceTurn { clock, first })
    }
}

impl SequenceTurn {
    /// The first number.
    pub fn first(&self) -> i64 {
        self.first
    }

    /// The first `count` numbers are used; `count` is not more than was reserved.
    pub fn used(mut self, count: i64) {
        self.clock.last = self.clock.last.max(self.first + count - 1);
    }
}
