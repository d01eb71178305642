//! Fields that a tap cannot read together: `fieldExclusions` of report-type sources.

use selvedge_connector::{ConnectorError, TapStream};
use serde_json::Value;

use super::position::TapStreamState;

/// Refuses the first selected stream with two fields that exclude each other.
pub(super) fn check(
    discovered: &[TapStream],
    selected: &[TapStreamState],
) -> Result<(), ConnectorError> {
    for state in selected {
        let is_it = |stream: &&TapStream| stream.tap_stream_id == state.tap_stream_id;
        let Some(stream) = discovered.iter().find(is_it) else {
            continue;
        };
        if let Some((one, other)) = conflict(stream, &state.fields) {
            return Err(ConnectorError::configuration(format!(
                "the fields {one} and {other} of {} cannot be replicated together: deselect one of them",
                state.tap_stream_id
            )));
        }
    }
    Ok(())
}

fn conflict<'a>(stream: &'a TapStream, fields: &[String]) -> Option<(&'a str, &'a str)> {
    let is_selected = |name: &str| fields.iter().any(|field| field == name);
    stream.metadata.iter().find_map(|entry| {
        let field = entry.breadcrumb.last()?;
        let exclusions = entry.metadata.get("fieldExclusions")?.as_array()?;
        let excluded = exclusions.iter().filter_map(name);
        let mut both = excluded.filter(|other| is_selected(field) && is_selected(other));
        both.next().map(|other| (field.as_str(), other))
    })
}

/// An exclusion is a breadcrumb, or the name alone.
fn name(exclusion: &Value) -> Option<&str> {
    match exclusion {
        Value::Array(breadcrumb) => breadcrumb.last()?.as_str(),
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use selvedge_connector::TapMetadata;
    use serde_json::json;

    use super::*;

    #[test]
    fn two_selected_fields_that_exclude_each_other_are_both_named() {
        let stream = TapStream {
            tap_stream_id: "report".to_owned(),
            stream_name: "report".to_owned(),
            schema: json!({}),
            metadata: vec![TapMetadata {
                breadcrumb: vec!["properties".to_owned(), "clicks".to_owned()],
                metadata: json!({"fieldExclusions": [["properties", "hour"], "device"]})
                    .as_object()
                    .cloned()
                    .unwrap(),
            }],
        };
        let selected = |fields: &[&str]| TapStreamState {
            tap_stream_id: "report".to_owned(),
            epoch: 1,
            chosen: Vec::new(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let streams = [stream];
        for fine in [&["clicks", "day"][..], &["hour", "device"]] {
            assert!(check(&streams, &[selected(fine)]).is_ok());
        }
        for other in ["hour", "device"] {
            let error = check(&streams, &[selected(&["clicks", other])]).unwrap_err();
            assert!(
                error.message.contains("clicks") && error.message.contains(other),
                "{error}"
            );
        }
    }
}
