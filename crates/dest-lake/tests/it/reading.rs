//! Readers of the formats that know nothing of how they were written: any file as a table of texts.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array as _, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use selvedge_testkit::conformance::{Stored, canonical};
use serde_json::value::RawValue;

/// Columns are the members of all lines, by their names.
pub(crate) fn json_lines(path: &Path) -> Stored {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<BTreeMap<String, Box<RawValue>>> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut columns: Vec<String> = Vec::new();
    for name in lines.iter().flat_map(BTreeMap::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let cell = |line: &BTreeMap<String, Box<RawValue>>, name: &String| match line.get(name)?.get() {
        "null" => None,
        text if text.starts_with('"') => Some(serde_json::from_str(text).unwrap()),
        text => Some(text.to_owned()),
    };
    let row = |line| columns.iter().map(|name| cell(line, name)).collect();
    stored(columns.clone(), lines.iter().map(row).collect())
}

/// NULL is nothing between two commas, an empty text is two quotes.
pub(crate) fn csv(path: &Path) -> Stored {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<Vec<Option<String>>> = Vec::new();
    let (mut line, mut cell) = (Vec::new(), None::<String>);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' => line.push(cell.take()),
            '\n' => {
                line.push(cell.take());
                lines.push(std::mem::take(&mut line));
            }
            '"' => {
                assert_eq!(cell, None, "a quote within a cell");
                let quoted = cell.insert(String::new());
                loop {
                    match characters.next().expect("quotes end") {
                        '"' if characters.next_if_eq(&'"').is_none() => break,
                        within => quoted.push(within),
                    }
                }
            }
            plain => cell.get_or_insert_default().push(plain),
        }
    }
    assert!(line.is_empty() && cell.is_none(), "the last line ends");
    let mut lines = lines.into_iter();
    let header = lines.next().expect("a header");
    let columns: Vec<String> = header.into_iter().map(Option::unwrap).collect();
    let rows: Vec<_> = lines.collect();
    assert!(rows.iter().all(|row| row.len() == columns.len()));
    stored(columns, rows)
}

/// By the format's own library, values as Arrow displays them.
pub(crate) fn parquet(path: &Path) -> Stored {
    let file = File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let fields = reader.schema().fields().clone();
    let columns = fields.iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let options = FormatOptions::default();
        let arrays: Vec<ArrayRef> = batch.columns().iter().map(without_zone).collect();
        let cells: Vec<_> = arrays
            .iter()
            .map(|array| (array, ArrayFormatter::try_new(array, &options).unwrap()))
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            let texts = cells.iter().map(|(array, formatter)| {
                let set = array.is_valid(row);
                set.then(|| formatter.value(row).to_string())
            });
            texts.collect::<Vec<_>>()
        }));
    }
    stored(columns, rows)
}

/// Instants are in UTC; naming another zone would take a database of them.
fn without_zone(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            assert_eq!(&**zone, "UTC");
            let instants = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(instants.clone().with_timezone_opt(None::<&str>))
        }
        _ => Arc::clone(array),
    }
}

fn stored(columns: Vec<String>, mut rows: Vec<Vec<Option<String>>>) -> Stored {
    for cell in rows.iter_mut().flatten().flatten() {
        *cell = canonical(cell);
    }
    Stored { columns, rows }
}
