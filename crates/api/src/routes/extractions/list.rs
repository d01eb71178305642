//! `GET /v4/{account_id}/extractions`: the last completed extraction of each source.

use axum::extract::State;
use selvedge_control::jobs::{self, Extraction};
use selvedge_types::{AccountId, SourceId, Timestamp};
use serde::Serialize;

use crate::auth::Caller;
use crate::json::Json;
use crate::paging::{Page, PageNumber};
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Field order is the documented one.
#[derive(Serialize)]
pub(crate) struct ExtractionView {
    target_exit_status: Option<i32>,
    job_name: String,
    start_time: Timestamp,
    stitch_client_id: AccountId,
    tap_exit_status: Option<i32>,
    source_type: String,
    target_description: Option<String>,
    discovery_exit_status: Option<i32>,
    discovery_description: Option<String>,
    tap_description: Option<String>,
    completion_time: Option<Timestamp>,
    source_id: SourceId,
}

impl From<Extraction> for ExtractionView {
    fn from(extraction: Extraction) -> Self {
        let outcome = extraction.outcome;
        Self {
            target_exit_status: outcome.target.exit_status,
            job_name: extraction.job_name.to_string(),
            start_time: extraction.started_at,
            stitch_client_id: extraction.job_name.account,
            tap_exit_status: outcome.tap.exit_status,
            source_type: extraction.extractor,
            target_description: outcome.target.description,
            discovery_exit_status: outcome.discovery.exit_status,
            discovery_description: outcome.discovery.description,
            tap_description: outcome.tap.description,
            completion_time: extraction.completed_at,
            source_id: extraction.source,
        }
    }
}

pub(crate) async fn list_extractions(
    caller: Caller,
    State(state): State<AppState>,
    Segment(account): Segment<AccountId>,
    page: PageNumber,
) -> Result<Json<Page<ExtractionView>>, ApiError> {
    let scope = caller.scope_of(account)?;
    let found = jobs::extractions(&state.control, scope, page.into()).await?;
    let views = found.items.into_iter().map(Into::into).collect();
    Ok(Json(Page::new(
        views,
        page,
        found.total,
        account,
        "extractions",
    )))
}
