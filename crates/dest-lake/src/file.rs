//! The file of a table under way, in whichever format.

use selvedge_connector::ConnectorError;

use crate::csv::{CsvFile, CsvOptions};
use crate::json_lines::JsonLinesFile;
use crate::parquet::ParquetFile;
use crate::rows::{Rows, SystemCells};
use crate::spool::{Sealed, Spool};

/// What the objects of a destination are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv(CsvOptions),
    JsonLines,
    Parquet,
}

impl Format {
    /// Of a key, without the point.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
        }
    }
}

/// The media type of an object, by the extension of its key.
pub(crate) fn media_type(key: &str) -> &'static str {
    match key.rsplit('.').next() {
        Some("csv") => "text/csv",
        Some("jsonl") => "application/x-ndjson",
        Some("parquet") => "application/vnd.apache.parquet",
        _ => "application/json",
    }
}

/// A file that rows are added to.
pub(crate) enum TableFile {
    Csv(Box<CsvFile>),
    JsonLines(JsonLinesFile),
    Parquet(Box<ParquetFile>),
}

impl TableFile {
    pub(crate) fn create(
        format: Format,
        spool: &Spool,
        keyless: bool,
    ) -> Result<Self, ConnectorError> {
        Ok(match format {
            Format::Csv(options) => {
                let names = SystemCells::names(keyless);
                Self::Csv(Box::new(CsvFile::create(spool, names, options)?))
            }
            Format::JsonLines => Self::JsonLines(JsonLinesFile::create(spool, keyless)?),
            Format::Parquet => Self::Parquet(Box::new(ParquetFile::create(spool, keyless)?)),
        })
    }

    pub(crate) fn write(&mut self, rows: &Rows<'_>) -> Result<(), ConnectorError> {
        match self {
            Self::Csv(file) => file.write(rows),
            Self::JsonLines(file) => file.write(rows),
            Self::Parquet(file) => file.write(rows),
        }
    }

    /// The complete file.
    pub(crate) fn seal(self) -> Result<Sealed, ConnectorError> {
        match self {
            Self::Csv(file) => file.seal(),
            Self::JsonLines(file) => file.seal(),
            Self::Parquet(file) => file.seal(),
        }
    }
}
