//! Tokens that were found a moment ago, so that a client that pushes record by record is not looked up record by record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use selvedge_types::Secret;
use sha2::{Digest as _, Sha256};

use super::pusher::{Pusher, authenticate};
use crate::{Control, ControlError};

/// How long a server believes what it found. What it writes itself it sees at once; this is for what others do: another server on
/// the same database, or the command line.
pub const BELIEVED: Duration = Duration::from_secs(1);

/// Tokens that are remembered at a time.
const MOST: usize = 4_096;

type Digest = [u8; 32];

/// Looks tokens up and remembers their sources for a second, or until anything is written to the store.
#[derive(Debug, Default)]
pub struct Pushers {
    known: Mutex<HashMap<Digest, Known>>,
}

#[derive(Debug)]
struct Known {
    pusher: Arc<Pusher>,
    /// The store's count of commits before the token was looked up.
    commits: u64,
    until: Instant,
}

impl Pushers {
    /// The source of a token; `None` when it is unknown or revoked.
    pub async fn authenticate(
        &self,
        control: &Control,
        token: &Secret,
    ) -> Result<Option<Arc<Pusher>>, ControlError> {
        let digest = Sha256::digest(token.expose()).into();
        // Counted before it is read: what is written while it is read makes it stale.
        let commits = control.store().commit_count();
        let now = Instant::now();
        if let Some(pusher) = self.recall(&digest, commits, now) {
            return Ok(Some(pusher));
        }
        // Apart from what every request carries along: it is large, and seldom needed.
        let Some(pusher) = Box::pin(authenticate(control, token)).await? else {
            return Ok(None);
        };
        let pusher = Arc::new(pusher);
        let known = Known {
            pusher: Arc::clone(&pusher),
            commits,
            until: now + BELIEVED,
        };
        self.remember(digest, known, now);
        Ok(Some(pusher))
    }

    fn recall(&self, digest: &Digest, commits: u64, now: Instant) -> Option<Arc<Pusher>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(digest)?;
        (found.commits == commits && now < found.until).then(|| Arc::clone(&found.pusher))
    }

    fn remember(&self, digest: Digest, found: Known, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&digest) {
            known.retain(|_, other| now < other.until && other.commits == found.commits);
            if known.len() >= MOST {
                return;
            }
        }
        known.insert(digest, found);
    }
}

#[cfg(test)]
mod tests {
    use selvedge_types::{AccountId, AccountScope, SourceId};

    use super::*;
    use crate::intake::PusherKind;

    fn known(commits: u64, until: Instant) -> Known {
        Known {
            pusher: Arc::new(Pusher {
                scope: AccountScope::of(AccountId(1)),
                source: SourceId(2),
                destination: None,
                kind: PusherKind::ImportApi,
                active: true,
            }),
            commits,
            until,
        }
    }

    #[test]
    fn what_was_found_is_believed_for_a_while_and_until_something_is_written() {
        let pushers = Pushers::default();
        let (now, soon) = (Instant::now(), Duration::from_millis(1));
        pushers.remember([1; 32], known(7, now + BELIEVED), now);
        assert!(pushers.recall(&[1; 32], 7, now + BELIEVED - soon).is_some());
        assert!(pushers.recall(&[1; 32], 7, now + BELIEVED).is_none());
        assert!(pushers.recall(&[1; 32], 8, now).is_none());
        assert!(pushers.recall(&[2; 32], 7, now).is_none());
    }

    #[test]
    fn only_so_many_are_remembered() {
        let pushers = Pushers::default();
        let now = Instant::now();
        let digest = |number: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            digest
        };
        for number in 0..=MOST {
            pushers.remember(digest(number), known(1, now + BELIEVED), now);
        }
        assert!(pushers.recall(&digest(MOST), 1, now).is_none());
        // Those of before the last write make room.
        pushers.remember(digest(MOST), known(2, now + BELIEVED), now);
        assert!(pushers.recall(&digest(MOST), 2, now).is_some());
        assert!(pushers.recall(&digest(0), 1, now).is_none());
    }
}
