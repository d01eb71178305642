//! One property of a type: what it is, and which values it takes.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::fill::Fill;

/// Who sets a property, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    #[default]
    UserProvided,
    /// The user, once: it cannot change after it was first set.
    UserProvidedImmutable,
    /// The user, with care: wrong values can break the connection.
    UserProvidedAdvanced,
    /// The system uses its own value unless the user sends one.
    SystemProvidedByDefault,
    /// The system only; sending it is an error.
    ReadOnly,
}

/// A setting of a connection, as the catalogue describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) is_required: bool,
    #[serde(default)]
    pub(crate) is_credential: bool,
    #[serde(default)]
    pub(crate) system_provided: bool,
    #[serde(default)]
    pub(crate) property_type: PropertyType,
    #[serde(default)]
    pub(crate) json_schema: Option<Value>,
    #[serde(default)]
    pub(crate) tap_mutable: bool,
    #[serde(skip)]
    pub(crate) fill: Option<Fill>,
    /// Compiled on first use: most types of the catalogue are never connected in one process.
    #[serde(skip)]
    validator: OnceLock<Result<Arc<Validator>, UnusableSchemaError>>,
}

/// A JSON Schema of the catalogue that does not compile.
#[derive(Debug, thiserror::Error)]
#[error("the JSON Schema cannot be used: {0}")]
pub(crate) struct UnusableSchemaError(String);

impl Property {
    /// Key in `properties`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Needed to complete its step.
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// Sensitive: stored encrypted, never returned.
    pub fn is_credential(&self) -> bool {
        self.is_credential
    }

    pub fn property_type(&self) -> PropertyType {
        self.property_type
    }

    /// Schema of the value; `None` takes any value.
    pub fn json_schema(&self) -> Option<&Value> {
        self.json_schema.as_ref()
    }

    /// The extractor may replace the value, for example a rotating token; the new one must be stored.
    pub fn is_tap_mutable(&self) -> bool {
        self.tap_mutable
    }

    /// The value to store for what was sent, or `None` when it does not match.
    ///
    /// A boolean or integer becomes its text wherever the schema takes that text, so that `5432` and `"5432"` are
    /// stored alike. An empty text never matches. `value` is not null.
    pub(crate) fn accept(&self, value: &Value) -> Option<Value> {
        if value.as_str().is_some_and(str::is_empty) {
            return None;
        }
        if self.json_schema.is_none() {
            return Some(value.clone());
        }
        let validator = self.validator().as_ref().ok()?;
        let value = whole_number(value).map_or_else(|| value.clone(), Value::Number);
        if matches!(value, Value::Bool(_)) || value.is_i64() || value.is_u64() {
            let text = Value::String(value.to_string());
            if validator.is_valid(&text) {
                return Some(text);
            }
        }
        validator.is_valid(&value).then_some(value)
    }

    /// The compiled schema. An error only for a schema that no catalogue test has seen; then no value matches.
    pub(crate) fn validator(&self) -> &Result<Arc<Validator>, UnusableSchemaError> {
        self.validator.get_or_init(|| {
            let schema = self.json_schema.as_ref().unwrap_or(&Value::Bool(true));
            compiled(schema).map_err(|error| UnusableSchemaError(error.to_string()))
        })
    }
}

/// The catalogue says the same few dozen things in more than a thousand places: each is compiled once.
fn compiled(schema: &Value) -> Result<Arc<Validator>, ValidationError<'static>> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let text = schema.to_string();
    let known = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(validator) = known().get(&text) {
        return Ok(Arc::clone(validator));
    }
    let validator = Arc::new(compile(schema)?);
    known().insert(text, Arc::clone(&validator));
    Ok(validator)
}

/// Formats are checked; the linear-time engine keeps hostile texts from making a pattern slow.
fn compile(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
}

/// JSON Schema calls `5432.0` an integer; stored is `5432`, which every reader understands.
fn whole_number(value: &Value) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value
        .as_number()
        .filter(|number| number.is_f64())?
        .as_f64()?;
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number within 53 bits fits"
        )]
        let whole = number as i64;
        Number::from(whole)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn property(schema: Value) -> Property {
        serde_json::from_value(json!({"name": "p", "json_schema": schema})).unwrap()
    }

    #[test]
    fn scalars_become_text_where_the_schema_takes_their_text() {
        let flag = property(json!({"type": "string", "pattern": "^(true|false)$"}));
        assert_eq!(flag.accept(&json!(false)), Some(json!("false")));
        assert_eq!(flag.accept(&json!(1)), None);
        let either = property(
            json!({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^(true|false)$"}]}),
        );
        assert_eq!(either.accept(&json!(true)), Some(json!("true")));
        let port = property(json!({"type": "string", "pattern": "^\\d+$"}));
        assert_eq!(port.accept(&json!(5432)), Some(json!("5432")));
        assert_eq!(port.accept(&json!(5432.0)), Some(json!("5432")));
        for bad in [
            json!(5432.5),
            json!(-1),
            json!(true),
            json!([5432]),
            json!({}),
        ] {
            assert_eq!(port.accept(&bad), None, "{bad} was accepted");
        }
    }

    #[test]
    fn scalars_stay_what_they_are_where_the_schema_wants_them() {
        let integer = property(json!({"type": "integer"}));
        assert_eq!(integer.accept(&json!(7)), Some(json!(7)));
        assert_eq!(integer.accept(&json!(7.0)), Some(json!(7)));
        assert_eq!(integer.accept(&json!("7")), None);
        let anything: Property = serde_json::from_value(json!({"name": "p"})).unwrap();
        assert_eq!(anything.accept(&json!(true)), Some(json!(true)));
    }

    #[test]
    fn empty_text_never_matches() {
        assert_eq!(property(json!({"type": "string"})).accept(&json!("")), None);
        let anything: Property = serde_json::from_value(json!({"name": "p"})).unwrap();
        assert_eq!(anything.accept(&json!("")), None);
    }

    #[test]
    fn a_pattern_with_an_end_does_not_take_a_trailing_newline() {
        let port = property(json!({"type": "string", "pattern": "^\\d+$"}));
        assert_eq!(port.accept(&json!("5432\n")), None);
        assert_eq!(port.accept(&json!("٥٤٣٢")), None);
    }

    #[test]
    fn formats_are_checked() {
        let host = property(
            json!({"type": "string", "anyOf": [{"format": "hostname"}, {"format": "ipv4"}]}),
        );
        for good in ["db.example.com", "localhost", "10.0.0.1"] {
            assert_eq!(host.accept(&json!(good)), Some(json!(good)));
        }
        for bad in ["db example", "http://db", "::1"] {
            assert_eq!(host.accept(&json!(bad)), None, "{bad:?} was accepted");
        }
        let uri = property(json!({"type": "string", "format": "uri"}));
        assert_eq!(uri.accept(&json!("not a uri")), None);
        let email = property(json!({"type": "string", "format": "email"}));
        assert_eq!(email.accept(&json!("nobody")), None);
    }

    #[test]
    fn a_schema_that_does_not_compile_takes_no_value() {
        let broken = property(json!({"type": "string", "pattern": "("}));
        assert!(broken.validator().is_err());
        assert_eq!(broken.accept(&json!("x")), None);
    }
}
