//! The report cards of types as prepared answers, made when they are first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use selvedge_catalog::ConnectionKind;
use selvedge_control::plans::TypeAccess;
use selvedge_control::{Control, connection_types};
use selvedge_prepared::Prepared;
use serde::Serialize;

use crate::auth::identity;
use crate::json::CONTENT_TYPE;
use crate::{ApiError, AppState};

/// What has been asked for so far: at most the two lists and one card per type of the catalogue, for each
/// access that plans give.
#[derive(Debug, Default)]
pub(crate) struct TypeCards {
    answers: Mutex<HashMap<Asked, Arc<Prepared>>>,
}

/// Everything that an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asked {
    access: TypeAccess,
    kind: ConnectionKind,
    /// One type, or the list of all.
    name: Option<&'static str>,
}

/// Somebody who asks what can be connected: the four endpoints differ in what they ask about, and in nothing else.
pub(crate) struct TypeQuestion {
    state: AppState,
    access: TypeAccess,
    request: HeaderMap,
}

impl FromRequestParts<AppState> for TypeQuestion {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let access = identity(parts, state).await?.type_access;
        // Nobody behind this reads them.
        let request = std::mem::take(&mut parts.headers);
        Ok(Self {
            state: state.clone(),
            access,
            request,
        })
    }
}

impl TypeQuestion {
    /// The cards of all types of the kind.
    pub(crate) async fn list(self, kind: ConnectionKind) -> Result<Response, ApiError> {
        self.answer(kind, None).await
    }

    /// The card of one type.
    pub(crate) async fn find(self, kind: ConnectionKind, name: &str) -> Result<Response, ApiError> {
        let found = connection_types::find(&self.state.control, kind, name);
        let found = found.ok_or(ApiError::NotFound)?;
        self.answer(kind, Some(found.name())).await
    }

    async fn answer(
        self,
        kind: ConnectionKind,
        name: Option<&'static str>,
    ) -> Result<Response, ApiError> {
        let asked = Asked {
            access: self.access,
            kind,
            name,
        };
        let cards = &self.state.type_cards;
        cards
            .answer(&self.state.control, asked, &self.request)
            .await
    }
}

impl TypeCards {
    async fn answer(
        &self,
        control: &Control,
        asked: Asked,
        request: &HeaderMap,
    ) -> Result<Response, ApiError> {
        let known = self.answers().get(&asked).cloned();
        let prepared = match known {
            Some(prepared) => prepared,
            // Two that come first at the same time both prepare; they arrive at the same bytes.
            None => {
                let prepared = Arc::new(prepare(control.clone(), asked).await?);
                self.answers().insert(asked, Arc::clone(&prepared));
                prepared
            }
        };
        let mut answer = prepared.answer(request);
        // For this caller only, and to be asked about each time: what is served depends on the build and the account.
        let private = HeaderValue::from_static("private, no-cache");
        answer.headers_mut().insert(CACHE_CONTROL, private);
        Ok(answer)
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<Asked, Arc<Prepared>>> {
        // Entries are complete or absent.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compressing the longer list takes the better part of a tenth of a second.
async fn prepare(control: Control, asked: Asked) -> Result<Prepared, PrepareError> {
    tokio::task::spawn_blocking(move || match asked.name {
        None => serialised(&connection_types::list_cards(
            &control,
            asked.access,
            asked.kind,
        )),
        Some(name) => serialised(&connection_types::find_card(
            &control,
            asked.access,
            asked.kind,
            name,
        )),
    })
    .await?
}

fn serialised<T: Serialize>(value: &T) -> Result<Prepared, PrepareError> {
    Ok(Prepared::new(CONTENT_TYPE, serde_json::to_vec(value)?))
}

/// Why an answer could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error("the answer could not be serialised")]
    Json(#[from] serde_json::Error),
    #[error("the thread that prepared the answer ended")]
    Interrupted(#[from] tokio::task::JoinError),
}
