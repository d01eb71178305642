//! `GET /v4/{account_id}/extractions`: the last completed extraction of each source.

use axum::extract::State;
use selvedge_control::jobs::{self, Extraction};
use selvedge_types::{AccountId, SourceId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::{AccountPath, PageQuery};
use crate::paging::{Page, PageNumber};
use crate::path::Segment;
use crate::{ApiError, AppState};

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Extraction)]
pub(crate) struct ExtractionView {
    /// Writing: null when not reached or terminated, 0 for success.
    #[schema(required)]
    target_exit_status: Option<i32>,
    job_name: String,
    #[schema(value_type = String, format = DateTime)]
    start_time: Timestamp,
    #[schema(value_type = i64)]
    stitch_client_id: AccountId,
    /// Reading.
    #[schema(required)]
    tap_exit_status: Option<i32>,
    /// `tap-` and what runs the type, for example `tap-postgres`.
    source_type: String,
    #[schema(required)]
    target_description: Option<String>,
    /// Finding the structure.
    #[schema(required)]
    discovery_exit_status: Option<i32>,
    #[schema(required)]
    discovery_description: Option<String>,
    #[schema(required)]
    tap_description: Option<String>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    completion_time: Option<Timestamp>,
    #[schema(value_type = i64)]
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

/// List extractions
///
/// The last completed extraction of each source that had one while records are kept (60 days), by source id. Sources that are paused or
/// deleted are included.
#[utoipa::path(
    get,
    path = "/v4/{account_id}/extractions",
    tag = "Replication jobs",
    params(AccountPath, PageQuery),
    responses((status = 200, description = "A page of them", body = Page<ExtractionView>)),
)]
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
