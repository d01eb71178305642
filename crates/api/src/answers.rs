//! Answers of a moment ago, for what clients ask for over and over while nothing changes.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use selvedge_control::remembered::{Moment, Remembered};
use selvedge_types::{AccountId, AccountScope, SourceId};
use serde::Serialize;

use crate::json::respond_with;
use crate::{ApiError, AppState};

/// Bytes of all remembered answers together.
const CAPACITY_BYTES: usize = 16 * 1024 * 1024;

/// What was asked for. Its answer may depend on the account and on the store, and on nothing else of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Source(SourceId),
    Sources,
}

/// Successful answers, each of one account.
#[derive(Clone, Debug)]
pub(crate) struct Answers(Arc<Remembered<(AccountId, Asked), Bytes>>);

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Remembered::with_capacity(CAPACITY_BYTES)))
    }
}

impl AppState {
    /// 200 with what `find` finds, or with what it found a moment ago.
    pub(crate) async fn answer<T: Serialize>(
        &self,
        scope: AccountScope,
        asked: Asked,
        find: impl AsyncFnOnce() -> Result<T, ApiError>,
    ) -> Result<Response, ApiError> {
        let key = (scope.account(), asked);
        let moment = Moment::now(&self.control);
        let text = match self.answers.0.recall(&key, moment) {
            Some(text) => text,
            None => {
                let text = Bytes::from(serde_json::to_vec(&Box::pin(find()).await?)?);
                let (copy, weight) = (text.clone(), text.len());
                self.answers.0.remember(key, copy, weight, moment);
                text
            }
        };
        Ok(respond_with(StatusCode::OK, text))
    }
}
