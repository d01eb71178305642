//! Reads the OpenAPI description of the server into what the guide shows: groups of endpoints with their arguments, bodies
//! and answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::fields::{Field, fields, type_name};
use super::text::Text;

/// Endpoints that belong together, in the order of the description's tags.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) description: Text,
    pub(super) endpoints: Vec<Endpoint>,
}

/// One method of one path.
pub(super) struct Endpoint {
    pub(super) anchor: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    /// Paragraphs.
    pub(super) description: Vec<Text>,
    pub(super) needs_token: bool,
    pub(super) arguments: Vec<Argument>,
    pub(super) body: Option<Content>,
    pub(super) answers: Vec<Answer>,
    /// Statuses that mean the same everywhere, and are described once.
    pub(super) general: Vec<String>,
}

/// A part of the path, of the query or of the header.
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) type_name: String,
    pub(super) description: Text,
}

pub(super) struct Answer {
    pub(super) status: String,
    pub(super) description: Text,
    pub(super) content: Option<Content>,
}

/// A body that is sent or answered.
pub(super) struct Content {
    pub(super) media_type: String,
    pub(super) fields: Vec<Field>,
    /// Bodies with the cause each stands for; the cause is empty where there is one example only.
    pub(super) examples: Vec<(String, String)>,
}

/// Why the description cannot be shown. It is made by the same program, so that this is an error of ours.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    #[error("the OpenAPI description does not have the expected form")]
    Form(#[from] serde_json::Error),
    #[error("the OpenAPI description has no {0}")]
    UnknownReference(String),
}

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// All groups of the description that have endpoints.
pub(super) fn groups(description: &Value) -> Result<Vec<Group>, DescriptionError> {
    let root: Root = Root::deserialize(description)?;
    let mut groups: Vec<Group> = root
        .tags
        .into_iter()
        .map(|tag| Group {
            name: tag.name,
            description: Text::new(tag.description),
            endpoints: Vec::new(),
        })
        .collect();
    for (path, item) in &root.paths {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let operation = Operation::deserialize(operation)?;
            let tag = operation.tags.first().map_or("Other", String::as_str);
            let index = match groups.iter().position(|group| group.name == tag) {
                Some(index) => index,
                None => {
                    groups.push(Group {
                        name: tag.to_owned(),
                        description: Text::default(),
                        endpoints: Vec::new(),
                    });
                    groups.len() - 1
                }
            };
            groups[index].endpoints.push(endpoint(
                description,
                &root.security,
                path,
                method,
                operation,
            )?);
        }
    }
    groups.retain(|group| !group.endpoints.is_empty());
    Ok(groups)
}

fn endpoint(
    root: &Value,
    default_security: &[Value],
    path: &str,
    method: &str,
    operation: Operation,
) -> Result<Endpoint, DescriptionError> {
    let arguments = operation
        .parameters
        .iter()
        .map(|parameter| argument(root, parameter))
        .collect::<Result<_, _>>()?;
    let body = match &operation.request_body {
        Some(body) => request(root, &Message::deserialize(resolve(root, body)?)?)?,
        None => None,
    };
    let mut answers = Vec::new();
    let mut general = Vec::new();
    for (status, answer) in &operation.responses {
        if answer.get("$ref").is_some() {
            general.push(status.clone());
            continue;
        }
        let message = Message::deserialize(answer)?;
        answers.push(Answer {
            status: status.clone(),
            content: content(root, &message)?,
            description: Text::new(message.description),
        });
    }
    Ok(Endpoint {
        anchor: operation.operation_id,
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: operation.summary,
        description: Text::paragraphs(&operation.description),
        needs_token: operation
            .security
            .as_deref()
            .unwrap_or(default_security)
            .iter()
            .any(|choice| {
                choice
                    .as_object()
                    .is_some_and(|schemes| !schemes.is_empty())
            }),
        arguments,
        body,
        answers,
        general,
    })
}

fn argument(root: &Value, parameter: &Value) -> Result<Argument, DescriptionError> {
    let parameter = Parameter::deserialize(resolve(root, parameter)?)?;
    Ok(Argument {
        type_name: type_name(root, &parameter.schema)?,
        name: parameter.name,
        place: parameter.place,
        required: parameter.required,
        description: Text::new(parameter.description),
    })
}

/// The content of a request; without an example of its own it has that of its schema.
fn request(root: &Value, message: &Message) -> Result<Option<Content>, DescriptionError> {
    let mut content = content(root, message)?;
    if let (Some(content), Some(media)) = (&mut content, message.content.values().next())
        && content.examples.is_empty()
        && let Some(example) = schema_example(root, &media.schema)?
    {
        content.examples.push((String::new(), pretty(&example)?));
    }
    Ok(content)
}

/// What a schema gives as its first example; an array without one has one item that its items give.
fn schema_example(root: &Value, schema: &Value) -> Result<Option<Value>, DescriptionError> {
    let schema = resolve(root, schema)?;
    if let Some(example) = schema.pointer("/examples/0") {
        return Ok(Some(example.clone()));
    }
    match schema.get("items") {
        Some(items) => Ok(schema_example(root, items)?.map(|item| Value::from(vec![item]))),
        None => Ok(None),
    }
}

fn content(root: &Value, message: &Message) -> Result<Option<Content>, DescriptionError> {
    let Some((media_type, media)) = message.content.iter().next() else {
        return Ok(None);
    };
    let mut examples = Vec::new();
    if let Some(example) = &media.example {
        examples.push((String::new(), pretty(example)?));
    }
    for (name, example) in &media.examples {
        let example = resolve(root, example)?;
        let cause = example
            .get("summary")
            .and_then(Value::as_str)
            .unwrap_or(name)
            .to_owned();
        if let Some(value) = example.get("value") {
            examples.push((cause, pretty(value)?));
        }
    }
    Ok(Some(Content {
        media_type: media_type.clone(),
        fields: fields(root, &media.schema)?,
        examples,
    }))
}

/// The value that a reference stands for; anything else stands for itself.
pub(super) fn resolve<'a>(
    root: &'a Value,
    value: &'a Value,
) -> Result<&'a Value, DescriptionError> {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => reference
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
            .ok_or_else(|| DescriptionError::UnknownReference(reference.to_owned())),
        None => Ok(value),
    }
}

fn pretty(value: &Value) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value)
}

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    tags: Vec<Tag>,
    /// In the description's order.
    paths: serde_json::Map<String, Value>,
    #[serde(default)]
    security: Vec<Value>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    operation_id: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    parameters: Vec<Value>,
    request_body: Option<Value>,
    /// By status.
    #[serde(default)]
    responses: BTreeMap<String, Value>,
    /// `None`: as everywhere.
    security: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    schema: Value,
}

/// A request body or a response.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    description: String,
    #[serde(default)]
    content: BTreeMap<String, Media>,
}

#[derive(Deserialize)]
struct Media {
    #[serde(default)]
    schema: Value,
    example: Option<Value>,
    #[serde(default)]
    examples: serde_json::Map<String, Value>,
}
