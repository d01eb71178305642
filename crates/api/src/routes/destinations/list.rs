//! `GET /v4/destinations`: the account's live destinations, or those that `source_id` and `destination_id` name.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use selvedge_control::destinations::{self, DestinationFilter};

use super::view::DestinationView;
use crate::auth::Caller;
use crate::json::Json;
use crate::{ApiError, AppState};

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
