//! CSV: a header, then one line per row.
//!
//! The header comes first and is known last: a record may bring a column that none before it had. So rows are collected
//! in a file of their own, each with as many cells as there were columns when it came, and system cells apart from the
//! rest. When the file is sealed the header is written and the rows follow, shorter ones filled up with empty cells. That
//! takes as much memory as the longest row has.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use selvedge_connector::ConnectorError;

use crate::cells::Cells;
use crate::rows::Rows;
use crate::spool::{Sealed, Spool, failed};

/// How cells are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CsvOptions {
    /// `,`, `|` or a tab.
    pub(crate) delimiter: u8,
    /// Every cell in quotes, whether it needs them or not.
    pub(crate) force_quote: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            force_quote: false,
        }
    }
}

/// A file under way.
#[derive(Debug)]
pub(crate) struct CsvFile {
    spool: Spool,
    options: CsvOptions,
    /// Names of the system columns, which follow all others.
    system_columns: Vec<String>,
    /// In the order in which they were first seen.
    columns: Vec<String>,
    positions: HashMap<String, usize>,
    rows: BufWriter<File>,
    /// How many rows have how many columns, in the order of the rows.
    widths: Vec<(u64, usize)>,
    data: Vec<u8>,
    system: Vec<u8>,
    text: Vec<u8>,
}

impl CsvFile {
    pub(crate) fn create(
        spool: &Spool,
        system_columns: Vec<String>,
        options: CsvOptions,
    ) -> Result<Self, ConnectorError> {
        Ok(Self {
            spool: spool.clone(),
            options,
            system_columns,
            columns: Vec::new(),
            positions: HashMap::new(),
            rows: BufWriter::new(spool.unnamed()?),
            widths: Vec::new(),
            data: Vec::new(),
            system: Vec::new(),
            text: Vec::new(),
        })
    }

    pub(crate) fn write(&mut self, rows: &Rows<'_>) -> Result<(), ConnectorError> {
        let mut cells: Vec<Vec<Cells<'_>>> = vec![Vec::new(); self.columns.len()];
        for column in &rows.layout.columns {
            let position = match self.positions.get(&column.name) {
                Some(position) => *position,
                None => {
                    self.positions
                        .insert(column.name.clone(), self.columns.len());
                    self.columns.push(column.name.clone());
                    cells.push(Vec::new());
                    self.columns.len() - 1
                }
            };
            cells[position] = rows.cells(column);
        }
        let mut system = Vec::new();
        for row in rows.kept() {
            self.data.clear();
            self.system.clear();
            for (index, column) in cells.iter().enumerate() {
                if index > 0 {
                    self.data.push(self.options.delimiter);
                }
                let cell = column.iter().find(|cells| !cells.is_null(row));
                self.text.clear();
                if let Some(cell) = cell {
                    cell.push_text(row, &mut self.text);
                }
                self.options
                    .push(&mut self.data, cell.is_some().then_some(&self.text));
            }
            rows.system.row(row, &mut system);
            for (index, cell) in system.iter().enumerate() {
                if index > 0 {
                    self.system.push(self.options.delimiter);
                }
                self.text.clear();
                if let Some(cell) = cell {
                    cell.push_text(&mut self.text);
                }
                self.options
                    .push(&mut self.system, cell.is_some().then_some(&self.text));
            }
            self.keep_row()?;
        }
        Ok(())
    }

    fn keep_row(&mut self) -> Result<(), ConnectorError> {
        for part in [&self.data, &self.system] {
            let length = u32::try_from(part.len()).map_err(failed)?;
            self.rows.write_all(&length.to_le_bytes()).map_err(failed)?;
        }
        self.rows.write_all(&self.data).map_err(failed)?;
        self.rows.write_all(&self.system).map_err(failed)?;
        match self.widths.last_mut() {
            Some((count, width)) if *width == self.columns.len() => *count += 1,
            _ => self.widths.push((1, self.columns.len())),
        }
        Ok(())
    }

    pub(crate) fn seal(mut self) -> Result<Sealed, ConnectorError> {
        let mut rows = self
            .rows
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        rows.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut rows = BufReader::new(rows);
        let mut out = BufWriter::new(self.spool.named()?);
        let mut line = Vec::new();
        let names = self.columns.iter().chain(&self.system_columns);
        for (index, name) in names.enumerate() {
            if index > 0 {
                line.push(self.options.delimiter);
            }
            self.options.push(&mut line, Some(name.as_bytes()));
        }
        line.push(b'\n');
        out.write_all(&line).map_err(failed)?;
        for (count, width) in std::mem::take(&mut self.widths) {
            // The cells that the row has not got, and the delimiter before the system cells.
            let mut filling = Vec::new();
            for missing in width..self.columns.len() {
                if missing > 0 {
                    filling.push(self.options.delimiter);
                }
                self.options.push::<[u8]>(&mut filling, None);
            }
            if !self.columns.is_empty() {
                filling.push(self.options.delimiter);
            }
            for _ in 0..count {
                let data = read_length(&mut rows)?;
                let system = read_length(&mut rows)?;
                line.clear();
                read_into(&mut rows, data, &mut line)?;
                line.extend_from_slice(&filling);
                read_into(&mut rows, system, &mut line)?;
                line.push(b'\n');
                out.write_all(&line).map_err(failed)?;
            }
        }
        Sealed::new(
            out.into_inner()
                .map_err(|error| failed(error.into_error()))?,
        )
    }
}

fn read_length(rows: &mut impl Read) -> Result<u64, ConnectorError> {
    let mut length = [0; 4];
    rows.read_exact(&mut length).map_err(failed)?;
    Ok(u32::from_le_bytes(length).into())
}

fn read_into(rows: &mut impl Read, length: u64, line: &mut Vec<u8>) -> Result<(), ConnectorError> {
    let read = rows.take(length).read_to_end(line).map_err(failed)?;
    match read as u64 == length {
        true => Ok(()),
        false => Err(failed("the file is shorter than it was")),
    }
}

impl CsvOptions {
    /// Appends a cell. NULL is an empty cell; an empty text is in quotes, which tells the two apart for who wants to.
    fn push<T: AsRef<[u8]> + ?Sized>(&self, line: &mut Vec<u8>, text: Option<&T>) {
        let text = match text {
            Some(text) => text.as_ref(),
            None if self.force_quote => b"",
            None => return,
        };
        let special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || *byte == self.delimiter;
        if !self.force_quote && !text.is_empty() && !text.iter().any(special) {
            line.extend_from_slice(text);
            return;
        }
        line.push(b'"');
        for piece in text.split_inclusive(|byte| *byte == b'"') {
            line.extend_from_slice(piece);
            if piece.ends_with(b"\"") {
                line.push(b'"');
            }
        }
        line.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(options: CsvOptions, text: Option<&str>) -> String {
        let mut line = Vec::new();
        options.push(&mut line, text.map(str::as_bytes));
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        let commas = CsvOptions::default();
        for (text, expected) in [
            (None, ""),
            (Some(""), "\"\""),
            (Some("plain | text"), "plain | text"),
            (Some("a,b"), "\"a,b\""),
            (Some("say \"hi\""), "\"say \"\"hi\"\"\""),
            (Some("\""), "\"\"\"\""),
            (Some("two\nlines\r"), "\"two\nlines\r\""),
        ] {
            assert_eq!(cell(commas, text), expected);
        }
        let pipes = CsvOptions {
            delimiter: b'|',
            force_quote: false,
        };
        assert_eq!(cell(pipes, Some("a,b")), "a,b");
        assert_eq!(cell(pipes, Some("a|b")), "\"a|b\"");
        let forced = CsvOptions {
            delimiter: b'\t',
            force_quote: true,
        };
        assert_eq!(cell(forced, Some("1")), "\"1\"");
        assert_eq!(cell(forced, None), "\"\"");
    }
}
