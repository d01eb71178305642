//! The report cards of types as prepared answers, made when they are first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use http::HeaderMap;
use selvedge_catalog::ConnectionKind;
use selvedge_control::{Control, connection_types};

use crate::ApiError;
use crate::prepared::{PrepareError, Prepared};

/// What has been asked for so far: at most the two lists and one card per type of the catalogue.
#[derive(Debug, Default)]
pub(crate) struct TypeCards {
    answers: Mutex<HashMap<Asked, Arc<Prepared>>>,
}

/// Everything that an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asked {
    kind: ConnectionKind,
    /// One type, or the list of all.
    name: Option<&'static str>,
}

impl TypeCards {
    /// The cards of all types of the kind.
    pub(crate) async fn list(
        &self,
        control: &Control,
        kind: ConnectionKind,
        request: &HeaderMap,
    ) -> Result<Response, ApiError> {
        self.answer(control, Asked { kind, name: None }, request)
            .await
    }

    /// The card of one type.
    pub(crate) async fn find(
        &self,
        control: &Control,
        kind: ConnectionKind,
        name: &str,
        request: &HeaderMap,
    ) -> Result<Response, ApiError> {
        let found = connection_types::find(control, kind, name).ok_or(ApiError::NotFound)?;
        let name = Some(found.name());
        self.answer(control, Asked { kind, name }, request).await
    }

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
        Ok(prepared.answer(request))
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<Asked, Arc<Prepared>>> {
        // Entries are complete or absent.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compressing the longer list takes the better part of a tenth of a second.
async fn prepare(control: Control, asked: Asked) -> Result<Prepared, PrepareError> {
    tokio::task::spawn_blocking(move || match asked.name {
        None => Prepared::new(&connection_types::list_cards(&control, asked.kind)),
        Some(name) => Prepared::new(&connection_types::find_card(&control, asked.kind, name)),
    })
    .await?
}
