//! The rows of a load on their way into files. Everything here runs on a blocking thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use selvedge_connector::{Books, ConnectorError, ShapedBatch, SubtableBatch, TableTarget};
use selvedge_shape::{Dialect, Rejection, record_text, system};
use selvedge_types::Clock;

use crate::cells::Cells;
use crate::csv::CsvFile;
use crate::file::{Format, TableFile};
use crate::key_template::segment;
use crate::layout::Layout;
use crate::rejected::RejectedFile;
use crate::rows::{Origin, Rows, SystemCells};
use crate::spool::{Sealed, Spool};

/// What rows of the table have to expect.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// Into files.
    Open,
    /// Nowhere: a newer version of the table is complete.
    Outdated,
    /// Into the rejections: the table cannot have its name.
    Refused(Rejection),
}

/// The files of a load.
pub(crate) struct Load {
    pub(crate) dialect: &'static Dialect,
    pub(crate) format: Format,
    pub(crate) spool: Spool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) run_seed: u64,
    pub(crate) route: Route,
    table_name: String,
    key: Vec<String>,
    layout: Option<Layout>,
    table: Option<TableFile>,
    /// By the path from the record to the array.
    subtables: BTreeMap<Vec<String>, (CsvFile, u64)>,
    rejected: Option<RejectedFile>,
    pub(crate) books: Books,
}

/// A file that is to become an object.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) content: Content,
    /// What takes the place of the table's name in the key.
    pub(crate) table: String,
    pub(crate) extension: &'static str,
    pub(crate) sealed: Sealed,
}

/// What is in a file.
#[derive(Debug)]
pub(crate) enum Content {
    Records,
    /// Items of the array that the path leads to.
    Items {
        path: Vec<String>,
        row_count: u64,
    },
    Rejections,
}

impl Load {
    pub(crate) fn new(
        dialect: &'static Dialect,
        format: Format,
        spool: Spool,
        clock: Arc<dyn Clock>,
        run_seed: u64,
        route: Route,
        target: &TableTarget,
    ) -> Self {
        Self {
            dialect,
            format,
            spool,
            clock,
            run_seed,
            route,
            table_name: target.table_name.clone(),
            key: target.key.clone(),
            layout: None,
            table: None,
            subtables: BTreeMap::new(),
            rejected: None,
            books: Books::default(),
        }
    }

    pub(crate) fn write(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        for refused in &batch.refused {
            self.reject(&refused.record, &refused.reason)?;
        }
        let rows = batch.records.num_rows();
        match &self.route {
            Route::Outdated => {
                self.books.old_version += rows as u64;
                return Ok(());
            }
            Route::Refused(reason) => {
                let reason = reason.to_string();
                for row in 0..rows {
                    self.reject(&record_text(batch, row), &reason)?;
                }
                return Ok(());
            }
            Route::Open => {}
        }
        if rows == 0 {
            return Ok(());
        }
        let layout = match self.layout.take() {
            Some(layout) if layout.is_for(&batch.schema) => layout,
            _ => Layout::new(self.dialect, &batch.schema),
        };
        let sublayouts: Vec<Layout> = batch
            .subtables
            .iter()
            .map(|subtable| Layout::new(self.dialect, &subtable.schema))
            .collect();
        let rejections = rejections(&layout, &sublayouts, batch);
        for (row, reason) in &rejections {
            self.reject(&record_text(batch, *row), &reason.to_string())?;
        }
        let skip: Vec<usize> = rejections.into_keys().collect();
        self.write_records(&layout, batch, &skip)?;
        for (subtable, sublayout) in batch.subtables.iter().zip(&sublayouts) {
            self.write_items(&layout, sublayout, batch, subtable, &skip)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn write_records(
        &mut self,
        layout: &Layout,
        batch: &ShapedBatch,
        skip: &[usize],
    ) -> Result<(), ConnectorError> {
        let written = batch.records.num_rows() - skip.len();
        if written == 0 {
            return Ok(());
        }
        let keyless = self.key.is_empty();
        let file = match &mut self.table {
            Some(file) => file,
            None => {
                let file = TableFile::create(self.format, &self.spool, keyless)?;
                self.table.insert(file)
            }
        };
        file.write(&Rows {
            layout,
            records: &batch.records,
            texts: batch.texts.as_ref(),
            skip,
            system: SystemCells {
                values: &batch.system,
                run_seed: self.run_seed,
                keyless,
                origin: None,
            },
        })?;
        self.books.written += written as u64;
        Ok(())
    }

    /// The items of arrays share the fate of their records.
    fn write_items(
        &mut self,
        layout: &Layout,
        sublayout: &Layout,
        batch: &ShapedBatch,
        subtable: &SubtableBatch,
        skip: &[usize],
    ) -> Result<(), ConnectorError> {
        let Format::Csv(options) = self.format else {
            return Err(ConnectorError::internal(
                "arrays were taken apart for a format that keeps them whole",
            ));
        };
        let skip: Vec<usize> = (0..subtable.records.num_rows())
            .filter(|row| {
                let root = subtable.root_rows[*row] as usize;
                skip.binary_search(&root).is_ok()
            })
            .collect();
        let written = subtable.records.num_rows() - skip.len();
        if written == 0 {
            return Ok(());
        }
        let (file, row_count) = match self.subtables.get_mut(&subtable.path) {
            Some(known) => known,
            None => {
                let names = SystemCells::subtable_names(&self.key, subtable.levels.len());
                let file = CsvFile::create(&self.spool, names, options)?;
                self.subtables
                    .entry(subtable.path.clone())
                    .or_insert((file, 0))
            }
        };
        let fields = &layout.schema.fields;
        let key = self.key.iter().map(|name| {
            let of_name = |index: &usize| fields[*index].is_top_level(name);
            (0..fields.len())
                .filter(of_name)
                .map(|index| {
                    let array = batch.records.column(index).as_ref();
                    Cells::new(&fields[index].logical_type, array)
                })
                .collect()
        });
        file.write(&Rows {
            layout: sublayout,
            records: &subtable.records,
            texts: None,
            skip: &skip,
            system: SystemCells {
                values: &batch.system,
                run_seed: self.run_seed,
                keyless: self.key.is_empty(),
                origin: Some(Origin {
                    root_rows: &subtable.root_rows,
                    levels: &subtable.levels,
                    key: key.collect(),
                }),
            },
        })?;
        *row_count += written as u64;
        Ok(())
    }

    fn reject(&mut self, record: &str, reason: &str) -> Result<(), ConnectorError> {
        let file = match &mut self.rejected {
            Some(file) => file,
            None => self.rejected.insert(RejectedFile::create(&self.spool)?),
        };
        file.put(&self.table_name, record, reason, self.clock.now())?;
        self.books.rejected += 1;
        Ok(())
    }

    /// The load's files in the order in which they are to become objects, the table's own last, and lines for the job's log.
    pub(crate) fn seal(&mut self) -> Result<(Vec<Outgoing>, Vec<String>), ConnectorError> {
        let mut outgoing = Vec::new();
        let mut notes = Vec::new();
        let table = segment(&self.table_name);
        for (path, (file, row_count)) in std::mem::take(&mut self.subtables) {
            let mut folder = table.clone();
            for name in &path {
                folder.push('/');
                folder.push_str(&segment(name));
            }
            outgoing.push(Outgoing {
                content: Content::Items { path, row_count },
                table: folder,
                extension: self.format.extension(),
                sealed: file.seal()?,
            });
        }
        if let Some(file) = self.rejected.take() {
            let (sealed, reasons) = file.seal()?;
            notes = reasons;
            outgoing.push(Outgoing {
                content: Content::Rejections,
                table: system::REJECTED_TABLE.to_owned(),
                extension: "jsonl",
                sealed,
            });
        }
        if let Some(file) = self.table.take() {
            outgoing.push(Outgoing {
                content: Content::Records,
                table,
                extension: self.format.extension(),
                sealed: file.seal()?,
            });
        }
        Ok((outgoing, notes))
    }
}

/// The records of a batch that do not get in, for their own fields or for those of their items.
fn rejections(
    layout: &Layout,
    sublayouts: &[Layout],
    batch: &ShapedBatch,
) -> BTreeMap<usize, Rejection> {
    let mut rejections = BTreeMap::new();
    if layout.judges_rows() {
        for row in 0..batch.records.num_rows() {
            if let Some(reason) = layout.rejection(&batch.records, row) {
                rejections.insert(row, reason);
            }
        }
    }
    for (subtable, sublayout) in batch.subtables.iter().zip(sublayouts) {
        if sublayout.judges_rows() {
            for row in 0..subtable.records.num_rows() {
                if let Some(reason) = sublayout.rejection(&subtable.records, row) {
                    let root = subtable.root_rows[row] as usize;
                    rejections.entry(root).or_insert(reason);
                }
            }
        }
    }
    rejections
}
