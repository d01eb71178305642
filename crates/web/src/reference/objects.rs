//! The sections of the page, one per object. What is in them does not depend on a search, so they are drawn once.

use askama::Template;
use selvedge_catalog::reference::{
    Availability, ConnectionObject, NestedProperty, Reference, ReferenceProperty, SampleRequest,
};
use selvedge_catalog::{ConnectionKind, PipelineState, Runs};

use super::search::{kind_name, runs_name};

/// An object as HTML.
pub(super) struct Drawn {
    pub(super) property: &'static str,
    pub(super) kind: ConnectionKind,
    pub(super) html: String,
}

#[derive(Template)]
#[template(path = "reference/object.html")]
struct Section<'a> {
    object: &'a ConnectionObject,
    kind: &'static str,
    runs: &'static str,
    availability: String,
    /// Titles of the connections that use it.
    used_by: String,
    form: Vec<Row<'a>>,
    oauth: Vec<Row<'a>>,
    samples: Vec<Sample>,
}

/// A property, or a key inside one.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    /// For a key, what it is in: `staging_area.`
    pub(super) above: String,
    pub(super) value_type: &'a str,
    pub(super) required: &'static str,
    pub(super) values: &'a [String],
    pub(super) accepts: Option<&'a str>,
    pub(super) default: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) flags: Vec<&'static str>,
}

struct Sample {
    title: &'static str,
    json: String,
    curl: String,
}

/// All sections, in the order of the reference.
pub(super) fn draw(reference: &Reference, public_url: &str) -> Vec<Drawn> {
    let draw = |object: &ConnectionObject| Drawn {
        property: object.property,
        kind: object.connection_type,
        html: Section::new(reference, object, public_url)
            .render()
            .expect("the template writes to memory only"),
    };
    reference.objects().iter().map(draw).collect()
}

impl<'a> Section<'a> {
    fn new(reference: &'a Reference, object: &'a ConnectionObject, public_url: &str) -> Self {
        let titles: Vec<_> = reference
            .connections_of(object.property)
            .map(|connection| connection.title())
            .collect();
        let sample = |title, request: &SampleRequest| Sample {
            title,
            json: request.json(),
            curl: request.curl(public_url),
        };
        let samples = object.samples();
        let samples = samples.map(|(title, request)| sample(title, request));
        Self {
            object,
            kind: kind_name(object.connection_type),
            runs: runs_name(object.availability.runs),
            availability: availability(object),
            used_by: titles.join(", "),
            form: rows(&object.form),
            oauth: rows(&object.oauth),
            samples: samples.collect(),
        }
    }
}

/// Whether and how it works here, in sentences.
pub(super) fn availability(object: &ConnectionObject) -> String {
    let Availability {
        state,
        access,
        replacement,
        runs,
    } = &object.availability;
    if !access {
        let why = match state {
            PipelineState::Alpha => "In development",
            _ => "Deprecated",
        };
        let instead = replacement.map_or_else(String::new, |name| format!("; use {name} instead"));
        return format!("{why}: it cannot be set up{instead}.");
    }
    let beta = match state {
        PipelineState::Beta => "Beta. ",
        _ => "",
    };
    let runs = match runs {
        Runs::Native => "This server runs it with a connector of its own.",
        Runs::Singer => "This server runs it as a Singer tap.",
        Runs::Push => "Nothing has to run: its data is pushed to this server.",
        Runs::NotYet => {
            "It can be set up, but nothing on this server runs it yet; its connection check says so."
        }
    };
    format!("{beta}{runs}")
}

/// A row for each property, followed by rows for the keys inside its value.
pub(super) fn rows(properties: &[ReferenceProperty]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for property in properties {
        rows.push(Row {
            name: property.name,
            above: String::new(),
            value_type: &property.value_type,
            required: match property {
                property if property.read_only => "Set by the server",
                property if property.required => "Required",
                property if property.documented_as_required => "Recommended",
                _ => "Optional",
            },
            values: property.values.as_deref().unwrap_or_default(),
            accepts: property.accepts.as_deref(),
            default: property.default.as_deref(),
            description: property.description,
            flags: flags(property),
        });
        nested(
            &format!("{}.", property.name),
            &property.children,
            &mut rows,
        );
    }
    rows
}

fn nested<'a>(above: &str, children: &'a [NestedProperty], rows: &mut Vec<Row<'a>>) {
    for child in children {
        rows.push(Row {
            name: child.name,
            above: above.to_owned(),
            value_type: &child.value_type,
            required: if child.required {
                "Required"
            } else {
                "Optional"
            },
            values: child.values.as_deref().unwrap_or_default(),
            accepts: child.accepts.as_deref(),
            default: None,
            description: None,
            flags: Vec::new(),
        });
        nested(&format!("{above}{}.", child.name), &child.children, rows);
    }
}

fn flags(property: &ReferenceProperty) -> Vec<&'static str> {
    [
        (property.credential, "credential"),
        (property.read_only, "read-only"),
        (property.immutable, "immutable"),
        (property.advanced, "advanced"),
        (property.internal, "internal"),
    ]
    .into_iter()
    .filter_map(|(holds, name)| holds.then_some(name))
    .collect()
}
