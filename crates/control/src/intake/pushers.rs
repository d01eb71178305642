//! Tokens that were found a moment ago, so that a client that pushes record by record is not looked up record by record.

use std::sync::Arc;

use selvedge_types::Secret;
use sha2::{Digest as _, Sha256};

use super::pusher::{Pusher, authenticate};
use crate::remembered::{Moment, Remembered};
use crate::{Control, ControlError};

/// Tokens that are remembered at a time.
const MOST: usize = 4_096;

/// Looks tokens up and remembers their sources for a moment.
#[derive(Debug)]
pub struct Pushers(Remembered<[u8; 32], Arc<Pusher>>);

impl Default for Pushers {
    fn default() -> Self {
        Self(Remembered::with_capacity(MOST))
    }
}

impl Pushers {
    /// The source of a token; `None` when it is unknown or revoked.
    pub async fn authenticate(
        &self,
        control: &Control,
        token: &Secret,
    ) -> Result<Option<Arc<Pusher>>, ControlError> {
        let digest = Sha256::digest(token.expose()).into();
        let moment = Moment::now(control);
        if let Some(pusher) = self.0.recall(&digest, moment) {
            return Ok(Some(pusher));
        }
        // Apart from what every request carries along: it is large, and seldom needed.
        let Some(pusher) = Box::pin(authenticate(control, token)).await? else {
            return Ok(None);
        };
        let pusher = Arc::new(pusher);
        self.0.remember(digest, Arc::clone(&pusher), 1, moment);
        Ok(Some(pusher))
    }
}
