//! `GET /v4/destinations`: the account's live destinations, or those that `source_id` and `destination_id` name.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use selvedge_control::destinations::{self, DestinationFilter};

use super::view::DestinationView;
use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::ErrorText;
use crate::{ApiError, AppState};

/// List destinations
///
/// All destinations of the account that are not deleted, by id. With both parameters: those that both name.
#[utoipa::path(
    get,
    path = "/v4/destinations",
    tag = "Destinations",
    params(
        ("source_id" = Option<i64>, Query, description = "The destination that this source is mapped to; an unknown id gives an empty list"),
        ("destination_id" = Option<i64>, Query, description = "This destination; an unknown id gives an empty list"),
    ),
    responses(
        (status = 200, description = "The destinations", body = [DestinationView]),
        (status = 400, description = "The query has another parameter", body = ErrorText),
    ),
)]
pub(crate) async fn list_destinations(
    Caller(scope): Caller,
    State(state): State<AppState>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Vec<DestinationView>>, ApiError> {
    let Query(parameters) = query.map_err(|_| ApiError::DestinationQuery)?;
    let Some(filter) = filter(&parameters)? else {
        return Ok(Json(Vec::new()));
    };
    let destinations = destinations::list(&state.control, scope, &filter).await?;
    Ok(Json(destinations.into_iter().map(Into::into).collect()))
}

/// `None` when a value is no id at all, which nothing matches.
fn filter(parameters: &[(String, String)]) -> Result<Option<DestinationFilter>, ApiError> {
    let known = |name: &str| matches!(name, "source_id" | "destination_id");
    if !parameters.iter().all(|(name, _)| known(name)) {
        return Err(ApiError::DestinationQuery);
    }
    let mut filter = DestinationFilter::default();
    for (name, value) in parameters {
        if name == "source_id" {
            let Ok(id) = value.parse() else {
                return Ok(None);
            };
            filter.mapped_from.push(id);
        } else {
            let Ok(id) = value.parse() else {
                return Ok(None);
            };
            filter.ids.push(id);
        }
    }
    Ok(Some(filter))
}
