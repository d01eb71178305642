//! Source types that the operator adds, as he writes them: a short form of what the catalogue says of its own.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Category, ConnectionType, PropertyType, StepType};

/// Why a type that the operator wrote cannot be used. The texts name the type where it has a name.
#[derive(Debug, thiserror::Error)]
pub enum BadTypeError {
    #[error("a source type is not as it must be: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "{0:?} is no name for a source type: it must be \"platform.\" and then lower-case letters, digits, '-' and '_'"
    )]
    Name(String),
    #[error("{type_name}: {problem}")]
    Unusable { type_name: String, problem: String },
}

/// What the operator writes. Everything else follows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "type")]
    name: String,
    display_name: String,
    #[serde(default = "saas")]
    category: Category,
    /// The properties of `form`, where there is no other step to speak of.
    #[serde(default)]
    properties: Option<Vec<Value>>,
    /// All steps, as in the catalogue.
    #[serde(default)]
    steps: Option<Vec<Value>>,
    #[serde(default)]
    default_start_date: Option<String>,
    #[serde(default)]
    default_scheduling_interval: Option<u32>,
}

fn saas() -> Category {
    Category::Saas
}

impl ConnectionType {
    /// A source type as an operator writes it: `type`, `display_name`, and either `properties` (asked for in the step `form`) or
    /// `steps`; `category` is `saas` by default. What schedules a source is added to its first step.
    ///
    /// # Errors
    /// The type could not be connected.
    pub fn of_operator(written: Value) -> Result<Self, BadTypeError> {
        let written: Written = serde_json::from_value(written)?;
        let shape = |name: &str| {
            let rest = name.strip_prefix("platform.")?;
            let fits = |part: char| part.is_ascii_lowercase() || part.is_ascii_digit();
            let whole = rest.starts_with(fits) && rest.len() <= 100;
            (whole && rest.chars().all(|part| fits(part) || "-_".contains(part))).then_some(())
        };
        if shape(&written.name).is_none() {
            return Err(BadTypeError::Name(written.name));
        }
        let unusable = |problem: String| BadTypeError::Unusable {
            type_name: written.name.clone(),
            problem,
        };
        if !matches!(
            written.category,
            Category::Saas | Category::Database | Category::File
        ) {
            return Err(unusable(
                "the category must be saas, database or file".to_owned(),
            ));
        }
        let mut steps = match (written.properties, written.steps) {
            (Some(properties), None) => vec![
                json!({"type": "form", "properties": properties}),
                json!({"type": "discover_schema"}),
                json!({"type": "field_selection"}),
                json!({"type": "fully_configured"}),
            ],
            (None, Some(steps)) => steps,
            _ => {
                return Err(unusable(
                    "it needs either properties or steps, and not both".to_owned(),
                ));
            }
        };
        add_common(&mut steps);
        let built: Self = serde_json::from_value(json!({
            "type": written.name,
            "display_name": written.display_name,
            "category": written.category,
            "status": "released",
            "details": {
                "pricing_tier": "standard",
                "pipeline_state": "released",
                "default_start_date": written.default_start_date,
                "default_scheduling_interval": written.default_scheduling_interval.unwrap_or(60),
                "protocol": written.name,
                "access": true,
                "image_version": "1.latest",
            },
            "steps": steps,
        }))
        .map_err(|error| unusable(error.to_string()))?;
        built.check_steps().map_err(unusable)?;
        Ok(built)
    }

    fn check_steps(&self) -> Result<(), String> {
        let steps: Vec<StepType> = self.steps().iter().map(|step| step.step_type()).collect();
        let without_oauth: Vec<StepType> = steps
            .iter()
            .copied()
            .filter(|step| *step != StepType::Oauth)
            .collect();
        let wanted = [
            StepType::Form,
            StepType::DiscoverSchema,
            StepType::FieldSelection,
            StepType::FullyConfigured,
        ];
        let oauth = steps.iter().position(|step| *step == StepType::Oauth);
        if without_oauth != wanted
            || steps.len() > wanted.len() + 1
            || oauth.is_some_and(|at| at != 1)
        {
            return Err(
                "its steps must be form, oauth where there is one, discover_schema, field_selection and fully_configured"
                    .to_owned(),
            );
        }
        let mut names = BTreeSet::new();
        for step in self.steps() {
            let asks = matches!(step.step_type(), StepType::Form | StepType::Oauth);
            if !asks && !step.properties().is_empty() {
                return Err("only the steps form and oauth have properties".to_owned());
            }
            for property in step.properties() {
                let name = property.name();
                if name.is_empty() || !names.insert(name) {
                    return Err(format!(
                        "there are two properties {name:?}, or it has no name"
                    ));
                }
                if property.property_type() == PropertyType::ReadOnly && name != "image_version" {
                    return Err(format!(
                        "nobody could set the property {name:?}: it is read_only"
                    ));
                }
                if let Err(error) = property.validator() {
                    return Err(format!("the property {name:?}: {error}"));
                }
            }
        }
        Ok(())
    }
}

/// What every source has: when it runs, and the version of its extractor.
fn add_common(steps: &mut [Value]) {
    let common = [
        json!({"name": "anchor_time", "json_schema": {"type": "string", "format": "date-time"}}),
        json!({"name": "cron_expression"}),
        json!({
            "name": "frequency_in_minutes",
            "json_schema": {"type": "string", "pattern": "^1$|^30$|^60$|^360$|^720$|^1440$"}
        }),
        json!({
            "name": "image_version",
            "is_required": true,
            "system_provided": true,
            "property_type": "read_only"
        }),
    ];
    let Some(properties) = steps
        .first_mut()
        .and_then(|step| step.as_object_mut()?.get_mut("properties")?.as_array_mut())
    else {
        return;
    };
    for property in common {
        let there = |other: &Value| other.get("name") == property.get("name");
        if !properties.iter().any(there) {
            properties.push(property);
        }
    }
    properties.sort_by_cached_key(|property| property["name"].as_str().map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    fn crm() -> Value {
        json!({
            "type": "platform.our-crm",
            "display_name": "Our CRM",
            "properties": [
                {"name": "url", "is_required": true, "json_schema": {"type": "string", "format": "uri"}},
                {"name": "token", "is_required": true, "is_credential": true, "json_schema": {"type": "string"}}
            ]
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut written = crm();
        change(&mut written);
        ConnectionType::of_operator(written)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_type_needs_no_more_than_its_properties() {
        let source = ConnectionType::of_operator(crm()).unwrap();
        let catalog = Catalog::with(vec![source]).unwrap();
        let found = catalog.source_type("platform.our-crm").unwrap();
        assert!(found.is_own() && found.has_access() && found.is_scheduled());
        let names: Vec<&str> = found.properties().map(|property| property.name()).collect();
        assert_eq!(
            names,
            [
                "anchor_time",
                "cron_expression",
                "frequency_in_minutes",
                "image_version",
                "token",
                "url"
            ]
        );
        assert!(found.property("token").unwrap().is_credential());
        let change = found
            .validate_create(&serde_json::Map::new(), uuid::Uuid::nil())
            .unwrap();
        let filled = change.names().any(|name| name == "image_version");
        assert!(filled, "the server sets it");
    }

    #[test]
    fn steps_may_be_written_out_for_oauth() {
        let mut written = crm();
        written["steps"] = json!([
            {"type": "form", "properties": [{"name": "start_date"}]},
            {"type": "oauth", "properties": [{"name": "refresh_token", "is_credential": true, "tap_mutable": true}]},
            {"type": "discover_schema"},
            {"type": "field_selection"},
            {"type": "fully_configured"}
        ]);
        written.as_object_mut().unwrap().remove("properties");
        let source = ConnectionType::of_operator(written).unwrap();
        assert!(source.property("refresh_token").unwrap().is_tap_mutable());
    }

    #[test]
    fn what_could_not_be_connected_is_refused_with_its_name() {
        let said = refused(|written| written["type"] = json!("our-crm"));
        assert!(said.contains("platform."), "{said}");
        let said = refused(|written| written["type"] = json!("platform.Our CRM"));
        assert!(said.contains("Our CRM"), "{said}");
        let said = refused(|written| written["category"] = json!("webhook"));
        assert!(
            said.contains("platform.our-crm") && said.contains("category"),
            "{said}"
        );
        let said = refused(|written| written["steps"] = json!([]));
        assert!(said.contains("not both"), "{said}");
        let said = refused(|written| written["propertys"] = json!([]));
        assert!(said.contains("propertys"), "{said}");
        let said = refused(|written| {
            written["properties"][0]["json_schema"] = json!({"type": "string", "pattern": "("});
        });
        assert!(said.contains("url"), "{said}");
        let said = refused(|written| written["properties"][0]["name"] = json!("token"));
        assert!(said.contains("two properties"), "{said}");
        let said = refused(|written| {
            written["steps"] = json!([{"type": "fully_configured"}, {"type": "form"}]);
            written.as_object_mut().unwrap().remove("properties");
        });
        assert!(said.contains("discover_schema"), "{said}");
    }

    #[test]
    fn a_type_that_is_there_already_is_refused() {
        let mut written = crm();
        written["type"] = json!("platform.github");
        let source = ConnectionType::of_operator(written).unwrap();
        let error = Catalog::with(vec![source]).unwrap_err().to_string();
        assert!(error.contains("platform.github"), "{error}");
    }
}
