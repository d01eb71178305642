//! Why a record, or one of its columns, does not get in. The texts are documented and end up in `_sdc_rejected`.

/// A reason of a rejection; `Display` is the documented text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("Table name [{table}] is too long for {destination}")]
    TableNameTooLong {
        table: String,
        destination: &'static str,
    },
    #[error("Table name [{table}] is empty for {destination}")]
    TableNameEmpty {
        table: String,
        destination: &'static str,
    },
    #[error("Table name [{table}] uses a reserved prefix")]
    TablePrefix { table: String },
    #[error("Table name [{table}] uses a reserved suffix")]
    TableSuffix { table: String },
    #[error("Column name [{column}] is too long for {destination}")]
    ColumnNameTooLong {
        column: String,
        destination: &'static str,
    },
    #[error("Column name [{column}] is empty for {destination}")]
    ColumnNameEmpty {
        column: String,
        destination: &'static str,
    },
    #[error("Column name [{column}] uses a reserved prefix")]
    ColumnPrefix { column: String },
    #[error("column names from client should not include reserved datatype suffix on [{column}]")]
    ColumnSuffix { column: String },
    /// Two source fields, or a field and a split column, of one destination name.
    #[error("Field collision on {column}")]
    Collision { column: String },
    #[error("ERROR: too many columns")]
    TooManyColumns,
    #[error("decimal out of range for {destination} on [{column}]")]
    DecimalOutOfRange {
        column: String,
        destination: &'static str,
    },
    #[error("timestamp out of range for {destination} on [{column}]")]
    TimestampOutOfRange {
        column: String,
        destination: &'static str,
    },
    #[error("integer out of range for {destination} on [{column}]")]
    IntegerOutOfRange {
        column: String,
        destination: &'static str,
    },
    /// A value that the destination cannot hold in a column of its type.
    #[error("value not valid for {destination} on [{column}]")]
    InvalidValue {
        column: String,
        destination: &'static str,
    },
}

impl Rejection {
    /// Whether only the column is lost: the record loads without it.
    pub fn spares_record(&self) -> bool {
        matches!(self, Rejection::ColumnNameTooLong { .. })
    }
}

/// A record of a batch that does not get in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRejection {
    /// Index in the batch.
    pub row: usize,
    pub reason: Rejection,
}
