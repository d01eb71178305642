//! The reference as Markdown, for documentation that others publish.

use std::fmt::Write as _;

use selvedge_catalog::ConnectionKind;
use selvedge_catalog::reference::{ConnectionObject, Reference, SampleRequest};

use super::objects::{Row, availability, rows};
use super::search::{kind_name, runs_name};

const INTRODUCTION: &str = "\
A connection property object holds the settings of one type of source or destination. Its name is the `type` of a request; its
keys are sent under `properties`.

| To | Request |
| --- | --- |
| Create a destination | `POST /v4/destinations` |
| Update a destination | `PUT /v4/destinations/{destination_id}` |
| Create a source | `POST /v4/sources` |
| Update a source | `PUT /v4/sources/{source_id}` |

There are two kinds of properties, and both may be sent in one request:

- **Form properties**: settings that the user fills into a form.
- **OAuth properties**: tokens and client credentials of a third party. Send them only if you perform the OAuth handshake
  yourself, with your own application.

What runs on the server: `native`, a connector built into it; `singer`, a Singer tap; `push`, nothing, because the data is
pushed; `not yet`, nothing so far. Unsupported connections have no object.
";

/// One document: the table of connections, then a section for each object. Samples are for the server at `public_url`.
pub fn markdown(public_url: &str, reference: &Reference) -> String {
    let mut text = String::new();
    write(&mut text, public_url, reference).expect("writing to memory does not fail");
    text
}

fn write(text: &mut String, public_url: &str, reference: &Reference) -> std::fmt::Result {
    writeln!(text, "# Connection property reference\n\n{INTRODUCTION}")?;
    writeln!(text, "## Connections\n")?;
    writeln!(
        text,
        "| Connection | Type | Connection property | Runs here |"
    )?;
    writeln!(text, "| --- | --- | --- | --- |")?;
    for connection in reference.connections() {
        let property = connection.property.map_or_else(
            || "Unsupported".to_owned(),
            |property| format!("[`{property}`](#{})", anchor(property)),
        );
        writeln!(
            text,
            "| {} | {} | {property} | {} |",
            cell(&connection.title()),
            kind_name(connection.connection_type),
            runs_name(connection.runs)
        )?;
    }
    for (title, kind) in [
        ("Destinations", ConnectionKind::Destination),
        ("Sources", ConnectionKind::Source),
    ] {
        writeln!(text, "\n## {title}")?;
        for object in reference.objects() {
            if object.connection_type == kind {
                write_object(text, public_url, reference, object)?;
            }
        }
    }
    Ok(())
}

fn write_object(
    text: &mut String,
    public_url: &str,
    reference: &Reference,
    object: &ConnectionObject,
) -> std::fmt::Result {
    let titles: Vec<_> = reference
        .connections_of(object.property)
        .map(|connection| connection.title())
        .collect();
    // The anchor is spelled out: renderers derive different ones from a heading with a dot.
    writeln!(
        text,
        "\n<a id=\"{}\"></a>\n\n### `{}`\n",
        anchor(object.property),
        object.property
    )?;
    writeln!(
        text,
        "{}: {}. {}",
        kind_name(object.connection_type),
        titles.join(", "),
        availability(object)
    )?;
    if object.form.is_empty() {
        writeln!(text, "\nIt needs no properties.")?;
    }
    write_properties(text, "Form properties", &rows(&object.form))?;
    write_properties(text, "OAuth properties", &rows(&object.oauth))?;
    for (title, sample) in object.samples() {
        write_sample(text, public_url, title, sample)?;
    }
    Ok(())
}

fn write_properties(text: &mut String, title: &str, rows: &[Row<'_>]) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n#### {title}\n")?;
    writeln!(
        text,
        "| Property | Type | Accepted values | Required | Default | Description |"
    )?;
    writeln!(text, "| --- | --- | --- | --- | --- | --- |")?;
    for row in rows {
        let code = |value: &str| format!("`{}`", cell(value));
        let values: Vec<_> = row.values.iter().map(|value| code(value)).collect();
        let accepted = row.accepts.map_or_else(|| values.join(", "), cell);
        let flags = row.flags.join(", ");
        let description = match (row.description, flags.as_str()) {
            (Some(description), "") => cell(description),
            (Some(description), flags) => format!("{} *({flags})*", cell(description)),
            (None, "") => String::new(),
            (None, flags) => format!("*({flags})*"),
        };
        let cells = [
            code(&format!("{}{}", row.above, row.name)),
            cell(row.value_type),
            accepted,
            row.required.to_owned(),
            row.default.map_or_else(String::new, code),
            description,
        ];
        writeln!(text, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn write_sample(
    text: &mut String,
    public_url: &str,
    title: &str,
    sample: &SampleRequest,
) -> std::fmt::Result {
    writeln!(
        text,
        "\n#### {title}\n\n```json\n{}\n```\n\n```sh\n{}\n```",
        sample.json(),
        sample.curl(public_url)
    )
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', r"\|").replace('\n', " ")
}

fn anchor(property: &str) -> String {
    property.replace('.', "-")
}
