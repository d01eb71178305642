//! `GET /v4/{account_id}/loads`: the newest load attempt of each stream.

use axum::extract::State;
use selvedge_control::jobs;
use selvedge_store::loads::LoadRecord;
use selvedge_types::{AccountId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::auth::Caller;
use crate::json::Json;
use crate::paging::{Page, PageNumber};
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Field order is the documented one.
#[derive(Serialize)]
pub(crate) struct LoadView {
    stitch_client_id: AccountId,
    source_name: String,
    stream_name: String,
    last_batch_loaded_at: Option<Timestamp>,
    error_state: Option<Value>,
}

pub(crate) async fn list_loads(
    caller: Caller,
    State(state): State<AppState>,
    Segment(account): Segment<AccountId>,
    page: PageNumber,
) -> Result<Json<Page<LoadView>>, ApiError> {
    let scope = caller.scope_of(account)?;
    let found = jobs::loads(&state.control, scope, page.into()).await?;
    let view = |load: LoadRecord| LoadView {
        stitch_client_id: account,
        source_name: load.source_name,
        stream_name: load.stream_name,
        last_batch_loaded_at: load.last_batch_loaded_at,
        error_state: load.error_state,
    };
    let views = found.items.into_iter().map(view).collect();
    Ok(Json(Page::new(views, page, found.total, account, "loads")))
}
