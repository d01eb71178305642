//! A file of Singer messages, and a tap that prints it.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub(crate) const STREAM: &str = "orders";

/// What is compared after a load.
pub(crate) fn checksum(table: &str) -> String {
    format!(
        "select concat_ws(' ', count(*), sum(id), sum(quantity), round(sum(amount)::numeric, 2), count(distinct customer), \
         count(*) filter (where paid)) from {table}"
    )
}

/// One stream with a key and ten fields of the usual types, as an application's table has them.
pub(crate) struct Dataset {
    folder: PathBuf,
    pub(crate) messages: PathBuf,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// What [`checksum`] must find.
    pub(crate) checksum: String,
}

const SCHEMA: &str = r#"{"type":"object","properties":{"id":{"type":"integer"},"customer":{"type":["null","string"]},"email":{"type":["null","string"]},"status":{"type":["null","string"]},"quantity":{"type":["null","integer"]},"amount":{"type":["null","number"]},"paid":{"type":["null","boolean"]},"created_at":{"type":["null","string"],"format":"date-time"},"updated_at":{"type":["null","string"],"format":"date-time"},"note":{"type":["null","string"]}}}"#;

impl Dataset {
    /// Writes the messages of `records` records into a new folder.
    pub(crate) fn write(folder: &Path, records: u64) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let messages = folder.join("messages.jsonl");
        let mut file = BufWriter::new(File::create(&messages)?);
        writeln!(
            file,
            r#"{{"type":"SCHEMA","stream":"{STREAM}","schema":{SCHEMA},"key_properties":["id"],"bookmark_properties":["updated_at"]}}"#
        )?;
        let (mut ids, mut quantities, mut cents, mut paid) = (0_u64, 0_u64, 0_u64, 0_u64);
        for id in 1..=records {
            let spread = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            let (quantity, amount) = (spread % 97, spread % 1_000_000);
            let (minute, second, status) = (spread / 7 % 60, spread % 60, spread % 3);
            let status = ["open", "shipped", "returned"][status as usize];
            let is_paid = spread.is_multiple_of(2);
            let note = match spread % 5 {
                0 => "null".to_owned(),
                _ => format!(r#""Left at the \"back\" door, parcel {spread}""#),
            };
            ids += id;
            quantities += quantity;
            cents += amount;
            paid += u64::from(is_paid);
            write!(
                file,
                r#"{{"type": "RECORD", "stream": "{STREAM}", "record": {{"id": {id}, "customer": "C{:06}", "email": "customer{}@example.com", "#,
                id % 1000,
                id % 1000
            )?;
            write!(
                file,
                r#""status": "{status}", "quantity": {quantity}, "amount": {}.{:02}, "paid": {is_paid}, "#,
                amount / 100,
                amount % 100
            )?;
            writeln!(
                file,
                r#""created_at": "2031-02-{:02}T04:{minute:02}:{second:02}Z", "updated_at": "2031-03-01T05:{second:02}:{minute:02}.{:06}Z", "note": {note}}}, "time_extracted": "2031-03-02T00:00:{second:02}.000000Z"}}"#,
                id % 28 + 1,
                id % 1_000_000
            )?;
            if id.is_multiple_of(10_000) || id == records {
                writeln!(
                    file,
                    r#"{{"type": "STATE", "value": {{"bookmarks": {{"{STREAM}": {{"id": {id}}}}}}}}}"#
                )?;
            }
        }
        file.flush()?;
        let bytes = std::fs::metadata(&messages)?.len();
        Ok(Self {
            folder: folder.to_owned(),
            messages,
            records,
            bytes,
            checksum: format!(
                "{records} {ids} {quantities} {}.{:02} {} {paid}",
                cents / 100,
                cents % 100,
                records.min(1000)
            ),
        })
    }

    /// A program that speaks the Singer contract and prints the file.
    pub(crate) fn tap(&self) -> Result<PathBuf> {
        let catalog = self.folder.join("catalog.json");
        let entry = format!(
            r#"{{"streams":[{{"tap_stream_id":"{STREAM}","stream":"{STREAM}","schema":{SCHEMA},"metadata":[{{"breadcrumb":[],"metadata":{{"table-key-properties":["id"]}}}}]}}]}}"#
        );
        std::fs::write(&catalog, entry)?;
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in\n*\" --discover \"*) exec cat '{}' ;;\n*) exec cat '{}' ;;\nesac\n",
            catalog.display(),
            self.messages.display()
        );
        let tap = self.folder.join("tap-file");
        std::fs::write(&tap, script)?;
        std::fs::set_permissions(&tap, std::fs::Permissions::from_mode(0o755))?;
        Ok(tap)
    }
}
