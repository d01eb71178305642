//! `GET /v4/{account_id}/loads`: the newest load attempt of each stream.

use axum::extract::State;
use selvedge_control::jobs;
use selvedge_store::loads::LoadRecord;
use selvedge_types::{AccountId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::{AccountPath, PageQuery};
use crate::paging::{Page, PageNumber};
use crate::path::Segment;
use crate::{ApiError, AppState};

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Load)]
pub(crate) struct LoadView {
    #[schema(value_type = i64)]
    stitch_client_id: AccountId,
    /// `name` of the source: the schema in the destination.
    source_name: String,
    /// The table.
    stream_name: String,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    last_batch_loaded_at: Option<Timestamp>,
    /// Why the last load failed; null after success.
    #[schema(required, value_type = Option<BTreeMap<String, Value>>)]
    error_state: Option<Value>,
}

/// List loads
///
/// The newest load attempt of each stream that had one while records are kept (60 days), by stream name.
#[utoipa::path(
    get,
    path = "/v4/{account_id}/loads",
    tag = "Replication jobs",
    params(AccountPath, PageQuery),
    responses((status = 200, description = "A page of them", body = Page<LoadView>)),
)]
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
