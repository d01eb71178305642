//! The table `_sdc_rejected`: records that did not get in, with the reason. The cold path.

use selvedge_connector::{ConnectorError, RefusedRecord, ShapedBatch};
use selvedge_shape::system::REJECTED_TABLE;
use selvedge_shape::{Rejection, record_text};
use selvedge_types::Timestamp;

use crate::encode::put_text;
use crate::link::Link;
use crate::sql::{column_list, datetime, quote_identifier, quote_qualified};
use crate::stage::{ARRIVAL, Stage};

/// The temporary table of rejections that wait for the next commit.
const STAGE: &str = "_sdc_rejected_stage";
const COLUMNS: [&str; 4] = ["_sdc_rejected_at", "table_name", "reason", "record"];
/// Columns of both tables; texts may be as long as the server lets them.
const DEFINITIONS: &str =
    "_sdc_rejected_at datetime(6), table_name longtext, reason longtext, record longtext";
/// Rejections are handed over before they hold more text than this.
const MAX_BYTES: usize = 1 << 20;

/// Rejected records on their way into the table.
pub(crate) struct Rejections {
    stage: Stage,
    /// Quoted.
    table: String,
    table_name: String,
    waiting: Vec<(String, String)>,
    size_bytes: usize,
    table_ready: bool,
}

impl Rejections {
    pub(crate) fn new(schema: &str, table_name: &str) -> Self {
        Self {
            stage: Stage::new(schema, STAGE),
            table: quote_qualified(schema, REJECTED_TABLE),
            table_name: table_name.to_owned(),
            waiting: Vec::new(),
            size_bytes: 0,
            table_ready: false,
        }
    }

    pub(crate) fn add(&mut self, batch: &ShapedBatch, row: usize, reason: &Rejection) {
        self.push(reason.to_string(), record_text(batch, row));
    }

    /// A record that never became a row.
    pub(crate) fn add_refused(&mut self, refused: &RefusedRecord) {
        self.push(refused.reason.clone(), refused.record.clone());
    }

    fn push(&mut self, reason: String, record: String) {
        self.size_bytes += reason.len() + record.len();
        self.waiting.push((reason, record));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.stage.is_empty()
    }

    /// Whether it is time to hand them over.
    pub(crate) fn is_full(&self) -> bool {
        self.size_bytes >= MAX_BYTES
    }

    /// Hands over what waits, and creates what that takes; the schema must be there. Not inside a transaction.
    pub(crate) async fn land(
        &mut self,
        link: &mut Link,
        now: Timestamp,
    ) -> Result<(), ConnectorError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        if !self.table_ready {
            link.execute(&format!(
                "create table if not exists {} ({DEFINITIONS})
                 engine = InnoDB default character set utf8mb4",
                self.table
            ))
            .await?;
            self.table_ready = true;
        }
        if !self.stage.exists() {
            let statement = format!(
                "create temporary table {} ({DEFINITIONS}, {} bigint unsigned not null auto_increment primary key)
                 engine = InnoDB default character set utf8mb4",
                self.stage.table(),
                quote_identifier(ARRIVAL)
            );
            self.stage.create(link, &statement).await?;
        }
        let columns = COLUMNS.map(str::to_owned).to_vec();
        self.stage.take_columns(link, columns).await?;
        let now = datetime(now);
        for (reason, record) in self.waiting.drain(..) {
            let line = &mut self.stage.buffer;
            for (cell, end) in [
                (&now, b'\t'),
                (&self.table_name, b'\t'),
                (&reason, b'\t'),
                (&record, b'\n'),
            ] {
                put_text(cell, line);
                line.push(end);
            }
            self.stage.added(link).await?;
        }
        self.size_bytes = 0;
        self.stage.land(link).await
    }

    /// Moves what was handed over into the table, as part of the open transaction.
    pub(crate) async fn insert(&self, link: &mut Link) -> Result<(), ConnectorError> {
        if self.stage.landed() == 0 {
            return Ok(());
        }
        let columns = column_list(COLUMNS);
        link.execute(&format!(
            "insert into {} ({columns}) select {columns} from {} order by {}",
            self.table,
            self.stage.table(),
            quote_identifier(ARRIVAL)
        ))
        .await
    }

    /// After the commit.
    pub(crate) async fn clear(&mut self, link: &mut Link) -> Result<(), ConnectorError> {
        self.stage.clear(link).await
    }
}
