//! The columns that the engine adds to every table.

use crate::{Column, ColumnType};

pub const EXTRACTED_AT: &str = "_sdc_extracted_at";
pub const RECEIVED_AT: &str = "_sdc_received_at";
pub const BATCHED_AT: &str = "_sdc_batched_at";
pub const SEQUENCE: &str = "_sdc_sequence";
pub const TABLE_VERSION: &str = "_sdc_table_version";
/// Identity of the rows of keyless tables; two leading underscores.
pub const PRIMARY_KEY: &str = "__sdc_primary_key";

/// All of them.
pub const NAMES: [&str; 6] = [
    EXTRACTED_AT,
    RECEIVED_AT,
    BATCHED_AT,
    SEQUENCE,
    TABLE_VERSION,
    PRIMARY_KEY,
];

/// Name of the system table with the rejected records of a schema.
pub const REJECTED_TABLE: &str = "_sdc_rejected";
/// Name of the system table with what each stream committed last.
pub const COMMITS_TABLE: &str = "_sdc_selvedge_commits";

/// Name of the system table that says which tables hold the items of which table's arrays.
pub const SUBTABLES_TABLE: &str = "_sdc_selvedge_subtables";
/// Prefix of a subtable's columns with the key of the record.
pub const SOURCE_KEY: &str = "_sdc_source_key_";

/// The system columns of a table in their order; keyless tables have one more.
pub fn columns(keyless: bool) -> Vec<Column> {
    let mut columns: Vec<Column> = [
        (EXTRACTED_AT, ColumnType::Timestamp),
        (RECEIVED_AT, ColumnType::Timestamp),
        (BATCHED_AT, ColumnType::Timestamp),
        (SEQUENCE, ColumnType::BigInt),
        (TABLE_VERSION, ColumnType::BigInt),
    ]
    .into_iter()
    .map(|(name, column_type)| Column::new(name, column_type))
    .collect();
    if keyless {
        columns.push(Column::new(PRIMARY_KEY, ColumnType::Text));
    }
    columns
}

/// The value of [`PRIMARY_KEY`]: a UUID in text form, unique by run and row. Nothing is allocated.
///
/// The layout is that of version 8, whose content is up to the application: the low 58 bits of `run_seed`, then all of
/// `identity`, around the version and variant bits.
pub fn generated_primary_key(run_seed: u64, identity: i64) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let identity = identity.cast_unsigned();
    let high =
        (run_seed << 6) & 0xffff_ffff_ffff_0000 | 0x8000 | (run_seed & 0x3ff) << 2 | identity >> 62;
    let low = 0b10 << 62 | identity & (u64::MAX >> 2);
    let bits = u128::from(high) << 64 | u128::from(low);
    let mut text = [b'-'; 36];
    let mut shift = 128;
    for (position, digit) in text.iter_mut().enumerate() {
        if !matches!(position, 8 | 13 | 18 | 23) {
            shift -= 4;
            *digit = DIGITS[(bits >> shift) as usize & 0xf];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn generated_keys_are_version_8_uuids_and_differ() {
        let mut seen = HashSet::new();
        let sequences = [i64::MIN, -1, 0, 1, 1_700_000_000_000_000_101, i64::MAX];
        for seed in [0, 1, 2, 0x3ff, 0x400, 0x1234_5678_9abc_def0, (1 << 58) - 1] {
            for sequence in sequences {
                let key = generated_primary_key(seed, sequence);
                let text = std::str::from_utf8(&key).unwrap().to_owned();
                assert_eq!(text.as_bytes()[14], b'8', "{text}");
                assert!(b"89ab".contains(&text.as_bytes()[19]), "{text}");
                for dash in [8, 13, 18, 23] {
                    assert_eq!(text.as_bytes()[dash], b'-', "{text}");
                }
                assert!(seen.insert(text), "seed {seed} sequence {sequence} repeats");
            }
        }
    }

    #[test]
    fn only_keyless_tables_have_a_generated_key() {
        assert_eq!(columns(false).len(), 5);
        assert_eq!(columns(true).last().unwrap().name, PRIMARY_KEY);
    }
}
