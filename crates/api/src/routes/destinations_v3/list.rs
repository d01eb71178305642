//! `GET /v3/destinations`: none or one, the account's oldest live destination.

use axum::extract::State;
use selvedge_control::destinations::v3;

use super::view::DestinationV3View;
use crate::auth::Caller;
use crate::json::Json;
use crate::{ApiError, AppState};

/// Show the only destination (version 3)
///
/// Outdated: `GET /v4/destinations` knows of several destinations. Here the oldest that is not deleted stands for all.
#[utoipa::path(
    get,
    path = "/v3/destinations",
    tag = "Destinations",
    responses(
        (status = 200, description = "None or one destination", body = [DestinationV3View]),
    ),
)]
pub(crate) async fn list_destinations_v3(
    Caller(scope): Caller,
    State(state): State<AppState>,
) -> Result<Json<Vec<DestinationV3View>>, ApiError> {
    let oldest = v3::find(&state.control, scope).await?;
    Ok(Json(oldest.into_iter().map(Into::into).collect()))
}
