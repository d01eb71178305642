//! A JSON Schema as lines of a table: one per field, nested fields under their parents.

use serde_json::Value;

use super::description::{DescriptionError, resolve};
use super::text::Text;

/// One field of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Path from the body, `[]` for the elements of a list: `steps[].type`. Empty for a body that is no object.
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) required: bool,
    pub(super) description: Text,
}

/// Nested deeper, a field is described where its own object is.
const MAX_DEPTH: usize = 3;

/// The fields of a body with this schema.
pub(super) fn fields(root: &Value, schema: &Value) -> Result<Vec<Field>, DescriptionError> {
    let mut found = Vec::new();
    collect(root, schema, "", 0, &mut found)?;
    Ok(found)
}

fn collect(
    root: &Value,
    schema: &Value,
    prefix: &str,
    depth: usize,
    found: &mut Vec<Field>,
) -> Result<(), DescriptionError> {
    let schema = plain(root, schema)?;
    if depth == MAX_DEPTH {
        return Ok(());
    }
    if let Some(items) = schema.get("items") {
        return collect(root, items, &format!("{prefix}[]"), depth, found);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Ok(());
    };
    let required = |name: &str| {
        schema
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|required| required == name))
    };
    for (name, property) in properties {
        let path = match prefix {
            "" => name.clone(),
            prefix => format!("{prefix}.{name}"),
        };
        found.push(Field {
            type_name: type_name(root, property)?,
            required: required(name),
            description: description(root, property)?,
            name: path.clone(),
        });
        collect(root, property, &path, depth + 1, found)?;
    }
    Ok(())
}

/// How the type of a value reads: `string`, `integer or null`, `array of object`, `"a", "b"`.
pub(super) fn type_name(root: &Value, schema: &Value) -> Result<String, DescriptionError> {
    let nullable = variants(schema).is_some_and(|variants| variants.iter().any(is_null));
    let schema = plain(root, schema)?;
    let mut names: Vec<String> = match (schema.get("enum"), schema.get("const"), schema.get("type"))
    {
        (Some(Value::Array(values)), _, _) => values.iter().map(Value::to_string).collect(),
        (_, Some(value), _) => vec![value.to_string()],
        (_, _, Some(Value::Array(types))) => types
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        (_, _, Some(Value::String(name))) => vec![name.clone()],
        _ => match variants(schema) {
            Some(variants) => variants
                .iter()
                .map(|variant| type_name(root, variant))
                .collect::<Result<_, _>>()?,
            None => vec!["any".to_owned()],
        },
    };
    if let (Some(items), Some(array)) = (
        schema.get("items"),
        names.iter_mut().find(|name| *name == "array"),
    ) {
        *array = format!("array of {}", type_name(root, items)?);
    }
    if nullable && !names.iter().any(|name| name == "null") {
        names.push("null".to_owned());
    }
    names.dedup();
    Ok(names.join(" or "))
}

/// Without the reference, and without the "or null" around it.
fn plain<'a>(root: &'a Value, schema: &'a Value) -> Result<&'a Value, DescriptionError> {
    let schema = resolve(root, schema)?;
    let Some(variants) = variants(schema) else {
        return Ok(schema);
    };
    let mut others = variants.iter().filter(|variant| !is_null(variant));
    match (others.next(), others.next()) {
        (Some(only), None) => resolve(root, only),
        _ => Ok(schema),
    }
}

fn variants(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf", "allOf"]
        .iter()
        .find_map(|key| schema.get(key).and_then(Value::as_array))
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|name| name == "null")
}

/// The field's own words; those of what it refers to when it has none.
fn description(root: &Value, schema: &Value) -> Result<Text, DescriptionError> {
    let own = |schema: &Value| {
        schema
            .get("description")
            .and_then(Value::as_str)
            .map(Text::new)
    };
    Ok(match own(schema) {
        Some(text) => text,
        None => own(plain(root, schema)?).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn root() -> Value {
        json!({"components": {"schemas": {
            "Step": {"type": "object", "required": ["type"], "description": "A step.",
                "properties": {"type": {"type": "string", "enum": ["form", "oauth"]}, "next": {"$ref": "#/components/schemas/Step"}}},
        }}})
    }

    fn lines(schema: Value) -> Vec<String> {
        fields(&root(), &schema)
            .unwrap()
            .iter()
            .map(|field| {
                let mark = if field.required { "!" } else { "" };
                format!("{}{mark}: {}", field.name, field.type_name)
            })
            .collect()
    }

    #[test]
    fn nested_fields_follow_their_parents() {
        let schema = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"},
            "steps": {"type": "array", "items": {"$ref": "#/components/schemas/Step"}},
            "paused_at": {"type": ["string", "null"]},
        }});
        assert_eq!(
            lines(schema)[..4],
            [
                "id!: integer",
                "steps: array of object",
                "steps[].type!: \"form\" or \"oauth\"",
                "steps[].next: object",
            ]
        );
    }

    #[test]
    fn a_reference_or_null_reads_like_what_it_refers_to() {
        let schema = json!({"type": "object", "properties": {
            "step": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Step"}]},
        }});
        let found = fields(&root(), &schema).unwrap();
        assert_eq!(found[0].type_name, "object or null");
        assert_eq!(found[0].description, Text::new("A step."));
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let deep = lines(json!({"$ref": "#/components/schemas/Step"}));
        assert!(
            deep.contains(&"next.next.type!: \"form\" or \"oauth\"".to_owned()),
            "{deep:?}"
        );
        assert!(deep.len() < 10, "{deep:?}");
    }

    #[test]
    fn a_reference_to_nothing_is_an_error() {
        let dangling = json!({"$ref": "#/components/schemas/Nothing"});
        assert!(matches!(
            fields(&root(), &dangling),
            Err(DescriptionError::UnknownReference(_))
        ));
    }
}
