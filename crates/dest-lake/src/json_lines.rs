//! JSON Lines: one object per line, nested values intact, `_sdc_*` members at the end.
//!
//! A record that came as JSON is written as it came: its members in their order, its numbers with their digits, without
//! the white space between and without members that are not replicated. Other records are made from their columns, NULLs
//! included.

use std::collections::HashSet;
use std::fmt;
use std::io::{BufWriter, Write};

use selvedge_connector::{ConnectorError, ErrorKind};
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tempfile::NamedTempFile;

use crate::cells::{Cells, push_compact, push_json};
use crate::rows::{Rows, SystemCells};
use crate::spool::{Sealed, Spool, failed};

/// A file under way. Nothing has to be known in advance, so rows are final as they come.
#[derive(Debug)]
pub(crate) struct JsonLinesFile {
    out: BufWriter<NamedTempFile>,
    /// The system members' names with what goes around them: `,"_sdc_sequence":`.
    system: Vec<Vec<u8>>,
    line: Vec<u8>,
}

impl JsonLinesFile {
    pub(crate) fn create(spool: &Spool, keyless: bool) -> Result<Self, ConnectorError> {
        Ok(Self {
            out: BufWriter::new(spool.named()?),
            system: SystemCells::names(keyless)
                .iter()
                .map(|name| member(name))
                .collect(),
            line: Vec::new(),
        })
    }

    pub(crate) fn write(&mut self, rows: &Rows<'_>) -> Result<(), ConnectorError> {
        let columns: Vec<(Vec<u8>, Vec<Cells<'_>>)> = rows
            .layout
            .columns
            .iter()
            .map(|column| (member(&column.name), rows.cells(column)))
            .collect();
        let names: HashSet<&str> = rows
            .layout
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let mut system = Vec::new();
        for row in rows.kept() {
            self.line.clear();
            match rows.texts.and_then(|texts| texts.get(row)) {
                Some(text) => push_members(&mut self.line, text, &names)?,
                None => {
                    for (name, cells) in &columns {
                        self.line.extend_from_slice(name);
                        match cells.iter().find(|cells| !cells.is_null(row)) {
                            Some(cells) => cells.push_json(row, &mut self.line),
                            None => self.line.extend_from_slice(b"null"),
                        }
                    }
                }
            }
            rows.system.row(row, &mut system);
            for (name, cell) in self.system.iter().zip(&system) {
                if let Some(cell) = cell {
                    self.line.extend_from_slice(name);
                    cell.push_json(&mut self.line);
                }
            }
            self.line.extend_from_slice(b"}\n");
            // In the place of the comma before the first member; there is always one, if only `_sdc_sequence`.
            self.line[0] = b'{';
            self.out.write_all(&self.line).map_err(failed)?;
        }
        Ok(())
    }

    pub(crate) fn seal(self) -> Result<Sealed, ConnectorError> {
        Sealed::new(
            self.out
                .into_inner()
                .map_err(|error| failed(error.into_error()))?,
        )
    }
}

/// `,"name":`
fn member(name: &str) -> Vec<u8> {
    let mut member = vec![b','];
    push_json(&mut member, name);
    member.push(b':');
    member
}

/// Appends those members of the object `text` that are among `names`, each behind a comma.
fn push_members(
    line: &mut Vec<u8>,
    text: &str,
    names: &HashSet<&str>,
) -> Result<(), ConnectorError> {
    serde_json::Deserializer::from_str(text)
        .deserialize_map(Members { line, names })
        .map_err(|error| {
            ConnectorError::new(ErrorKind::Data, "a record is not a JSON object")
                .with_detail(error.to_string())
        })
}

struct Members<'a> {
    line: &'a mut Vec<u8>,
    names: &'a HashSet<&'a str>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if self.names.contains(name.as_str()) {
                let value: &RawValue = members.next_value()?;
                self.line.extend_from_slice(&member(&name));
                push_compact(self.line, value.get());
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_came_as_json_is_written_as_it_came() {
        let text =
            r#" { "b" : 1.50 , "secret": 7, "a": {"x": [1, 2e3, null], "y": " "} , "n": null } "#;
        let names = HashSet::from(["a", "b", "n"]);
        let mut line = Vec::new();
        push_members(&mut line, text, &names).unwrap();
        assert_eq!(
            String::from_utf8(line).unwrap(),
            r#","b":1.50,"a":{"x":[1,2e3,null],"y":" "},"n":null"#
        );
    }
}
