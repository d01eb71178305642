//! The subtables of a stream: one for each array of its records, where the records have items in it.
//!
//! Items follow their record. Where records are told apart by a key, a record that wins takes all items of its key out of
//! every subtable and puts its own in; so each subtable has the unique index `<table>_pkey` over the record's key and the
//! levels. While the keys of a first load ascend, nothing has to be taken out, and the index waits for the end like the
//! record's own. Where records are only appended, so are their items.

use rusqlite::Connection;
use selvedge_connector::{ConnectorError, ShapedBatch, SubtableBatch, TableTarget};
use selvedge_shape::{
    Column, ColumnType, Dialect, RecordKey, Rejection, SchemaChange, TableShape, level_name, system,
};

use crate::connect::File;
use crate::opening::{Opening, Preparation, Route};
use crate::ownership::{self, Owner, name_in_schema};
use crate::structure::{TableStructure, quoted, same_names};
use crate::{changes, keys, replace};

/// One subtable.
#[derive(Debug)]
pub(crate) struct Subtable {
    /// The table's name in the file.
    table: String,
    /// The table that rows go into: `table`, or the one beside it.
    pub(crate) working: String,
    /// How many arrays the items are in, counted from the record.
    levels: usize,
    pub(crate) shape: TableShape,
    /// The name is this stream's as long as the writer lives.
    claimed: bool,
    /// The working table has the index of [`Subtable::key`].
    indexed: bool,
    /// It has another one.
    stale_index: bool,
}

impl Subtable {
    pub(crate) fn table_name(&self) -> &str {
        &self.table
    }

    fn key(&self, record: &RecordKey) -> Vec<String> {
        record.subtable_key(self.levels)
    }
}

/// Where the items of an array go.
#[derive(Debug)]
pub(crate) enum Place {
    /// Into the subtable of this index.
    Subtable(usize),
    /// Nowhere, for a table cannot have such a name: records load without them.
    LeftOut(Rejection),
    /// The table is another's: records with items are rejected.
    Taken(Rejection),
}

/// All subtables of one stream.
#[derive(Debug)]
pub(crate) struct Subtables {
    schema_name: String,
    stream_name: String,
    root_table: String,
    pub(crate) key: RecordKey,
    /// Records are told apart by their key.
    keyed: bool,
    /// Rows go in by key, so a new table has its index from the start.
    by_key: bool,
    beside: bool,
    tables: Vec<Subtable>,
}

impl Subtables {
    /// Looks for the subtables of a table that is about to be loaded. `connection` is `None` while there is no file;
    /// `shape` is the root's.
    pub(crate) fn open(
        connection: Option<&Connection>,
        target: &TableTarget,
        run_seed: u64,
        opening: &Opening,
        shape: &TableShape,
    ) -> Result<(Self, Vec<Preparation>), ConnectorError> {
        let keyed = shape.key_columns().is_some();
        let mut subtables = Self {
            schema_name: target.schema_name.clone(),
            stream_name: target.table_name.clone(),
            root_table: opening.table.clone(),
            key: shape.record_key(run_seed),
            keyed,
            by_key: keyed && matches!(opening.route, Route::Existing),
            beside: matches!(opening.route, Route::Beside),
            tables: Vec::new(),
        };
        let mut preparations = Vec::new();
        let Some(connection) = connection else {
            return Ok((subtables, preparations));
        };
        for (table, levels) in ownership::subtables(connection, &opening.table)? {
            let beside = ownership::beside(&target.schema_name, &table);
            if ownership::exists(connection, &beside)? {
                // A replacement that was cut short.
                preparations.push(Preparation::DropTable(beside));
            }
            let structure = TableStructure::read(connection, &table)?;
            let structure = match (&opening.route, structure) {
                (Route::Direct, Some(_)) => {
                    // Items of records that are not there any more.
                    preparations.push(Preparation::DropTable(table.clone()));
                    None
                }
                (Route::Existing, structure) => structure,
                _ => None,
            };
            let subtable = subtables.known(table, levels, structure.as_ref(), shape)?;
            subtables.tables.extend(subtable);
        }
        Ok((subtables, preparations))
    }

    /// A subtable that the file knows; `structure` is its own where rows go into it.
    fn known(
        &self,
        table: String,
        levels: usize,
        structure: Option<&TableStructure>,
        root: &TableShape,
    ) -> Result<Option<Subtable>, ConnectorError> {
        let key = self.key.subtable_key(levels);
        if let Some(structure) = structure {
            let own = (0..levels).map(|level| Column::new(level_name(level), ColumnType::Integer));
            structure.require(&table, system::columns(false).into_iter().chain(own))?;
            if self.keyed {
                structure.require(&table, self.source_key_columns(root))?;
            }
        }
        let existing = structure.map(TableStructure::for_planner);
        let name = name_in_schema(&self.schema_name, &table);
        let shape = TableShape::subtable(
            &Dialect::SQLITE,
            &self.schema_name,
            name,
            &[],
            key.clone(),
            existing,
        );
        // A name that was right when the table was made.
        let Ok(shape) = shape else { return Ok(None) };
        let index = structure.and_then(|structure| structure.key.as_ref());
        let indexed = index.is_some_and(|present| same_names(present, &key));
        let mut subtable = Subtable {
            working: self.working(&table),
            claimed: structure.is_some(),
            indexed: indexed && self.keyed,
            stale_index: index.is_some() && !(indexed && self.keyed),
            table,
            levels,
            shape,
        };
        if !self.keyed {
            subtable.shape.give_up_key();
        }
        Ok(Some(subtable))
    }

    /// The columns with the record's key, as far as the root has them.
    fn source_key_columns<'a>(&'a self, root: &'a TableShape) -> impl Iterator<Item = Column> + 'a {
        let names = self.key.subtable_key(0);
        let types = root.key_columns().unwrap_or_default().into_iter();
        let types = types.map(|name| root.column(name)?.column_type.clone());
        names
            .into_iter()
            .zip(types)
            .filter_map(|(name, column_type)| {
                column_type.map(|column_type| Column::new(name, column_type))
            })
    }

    fn working(&self, table: &str) -> String {
        match self.beside {
            true => ownership::beside(&self.schema_name, table),
            false => table.to_owned(),
        }
    }

    /// Brings the indexes of the tables that are there into line with the root. Where records of one key were found more
    /// than once, `orphans` are to go.
    pub(crate) fn prepare(&mut self, file: &File, orphans: bool) -> Result<(), ConnectorError> {
        for subtable in &mut self.tables {
            if std::mem::take(&mut subtable.stale_index) {
                keys::drop(file, &subtable.working)?;
            }
        }
        if orphans {
            self.remove_orphans(file)?;
        }
        match self.by_key {
            true => self.go_by_key(file),
            false => Ok(()),
        }
    }

    fn remove_orphans(&self, file: &File) -> Result<(), ConnectorError> {
        let RecordKey::Fields(fields) = &self.key else {
            return Ok(());
        };
        let source_key = self.key.subtable_key(0);
        let mut same = fields
            .iter()
            .zip(&source_key)
            .map(|((_, name), source)| format!("r.{} = s.{}", quoted(name), quoted(source)))
            .collect::<Vec<_>>();
        same.push(format!("r.{0} = s.{0}", system::SEQUENCE));
        for subtable in self.existing() {
            file.execute(&format!(
                "delete from {} as s where not exists (select 1 from {} as r where {})",
                quoted(&subtable.working),
                quoted(&self.root_table),
                same.join(" and ")
            ))?;
        }
        Ok(())
    }

    /// The tables that are there.
    pub(crate) fn existing(&self) -> impl Iterator<Item = &Subtable> {
        self.tables
            .iter()
            .filter(|subtable| subtable.shape.exists())
    }

    /// Why a record is rejected that has two arrays of the same name.
    pub(crate) fn collision(&self, at: usize) -> Rejection {
        let name = name_in_schema(&self.schema_name, &self.tables[at].table);
        Rejection::Collision {
            column: name.to_owned(),
        }
    }

    pub(crate) fn table(&self, at: usize) -> &Subtable {
        &self.tables[at]
    }

    /// Where the items of an array go. Reads who owns its name, in the transaction that is
    /// open.
    pub(crate) fn find(
        &mut self,
        file: &File,
        items: &SubtableBatch,
    ) -> Result<Place, ConnectorError> {
        let levels = items.levels.len();
        let shape = TableShape::subtable(
            &Dialect::SQLITE,
            &self.schema_name,
            &self.stream_name,
            &items.path,
            self.key.subtable_key(levels),
            None,
        );
        let mut shape = match shape {
            Ok(shape) => shape,
            Err(reason) => return Ok(Place::LeftOut(reason)),
        };
        let table = shape.table_name().to_owned();
        let collision = Rejection::Collision {
            column: name_in_schema(&self.schema_name, &table).to_owned(),
        };
        let known = self
            .tables
            .iter()
            .position(|subtable| subtable.table.eq_ignore_ascii_case(&table));
        if let Some(at) = known {
            let subtable = &self.tables[at];
            if subtable.levels != levels {
                return Ok(Place::Taken(collision));
            }
            if subtable.claimed {
                return Ok(Place::Subtable(at));
            }
        }
        let ours = Owner::array(&self.schema_name, &self.root_table);
        let free = match ownership::owner(&file.connection, &table)? {
            Some(owner) => owner == ours,
            None => !ownership::exists(&file.connection, &table)?,
        };
        if !free {
            return Ok(Place::Taken(collision));
        }
        if let Some(at) = known {
            return Ok(Place::Subtable(at));
        }
        if !self.keyed {
            shape.give_up_key();
        }
        self.tables.push(Subtable {
            working: self.working(&table),
            table,
            levels,
            shape,
            claimed: false,
            indexed: false,
            stale_index: false,
        });
        Ok(Place::Subtable(self.tables.len() - 1))
    }

    /// Plans a batch of items and carries out what it needs. Returns lines for the job's log.
    pub(crate) fn plan(
        &mut self,
        file: &File,
        at: usize,
        items: &ShapedBatch,
    ) -> Result<Vec<String>, ConnectorError> {
        let subtable = &mut self.tables[at];
        let planned = subtable.shape.plan(&items.schema, &items.records);
        if self.keyed && subtable.shape.key_columns().is_none() {
            return Err(ConnectorError::table(format!(
                "the columns with the key of the record in table {} have another type than in table {}: drop the table \
                 to load it anew",
                subtable.table, self.root_table
            )));
        }
        let creates = |change: &SchemaChange| matches!(change, SchemaChange::CreateTable { .. });
        let created = planned.iter().any(creates);
        let notes = changes::carry_out(file, &subtable.working, &planned)?;
        if created {
            let owner = Owner::array(&self.schema_name, &self.root_table);
            ownership::claim(file, &subtable.table, &owner, subtable.levels)?;
            subtable.claimed = true;
        }
        if created && self.by_key {
            keys::build(file, &subtable.working, &subtable.key(&self.key))?;
            subtable.indexed = true;
        }
        Ok(notes)
    }

    /// Points the targets of a table's shape to a batch that was planned before another one of the same table.
    pub(crate) fn plan_again(&mut self, at: usize, items: &ShapedBatch) {
        // Its columns are there: nothing is left to change.
        self.tables[at].shape.plan(&items.schema, &items.records);
    }

    /// From now on records are told apart by key: items are looked up by it.
    pub(crate) fn go_by_key(&mut self, file: &File) -> Result<(), ConnectorError> {
        self.by_key = true;
        for subtable in &mut self.tables {
            if subtable.shape.exists() && !subtable.indexed {
                let key = subtable.key(&self.key);
                keys::build(file, &subtable.working, &key)?;
                subtable.indexed = true;
            }
        }
        Ok(())
    }

    /// From now on records are only appended.
    pub(crate) fn end_key(&mut self, file: &File) -> Result<(), ConnectorError> {
        self.keyed = false;
        self.by_key = false;
        for subtable in &mut self.tables {
            subtable.shape.give_up_key();
            if std::mem::take(&mut subtable.indexed) {
                keys::drop(file, &subtable.working)?;
            }
        }
        Ok(())
    }

    pub(crate) fn keyed(&self) -> bool {
        self.keyed
    }

    /// Builds the indexes that a first load left for later.
    pub(crate) fn complete(&mut self, file: &File) -> Result<(), ConnectorError> {
        match self.keyed {
            true => self.go_by_key(file),
            false => Ok(()),
        }
    }

    /// Puts the next version in the place of the one that is there, as [`replace::switch`] does for the root. Subtables
    /// that the new version has no items for are emptied, and go if they could not take its items. `root` is the shape of
    /// the new rows, `None` if there are none. Returns lines for the job's log.
    pub(crate) fn take_places(
        &mut self,
        file: &File,
        root: Option<&TableShape>,
    ) -> Result<Vec<String>, ConnectorError> {
        let mut notes = Vec::new();
        let ours = Owner::array(&self.schema_name, &self.root_table);
        for at in 0..self.tables.len() {
            let subtable = &self.tables[at];
            let table = &subtable.table;
            if subtable.shape.exists() {
                if subtable.indexed {
                    keys::drop(file, &subtable.working)?;
                }
                notes.extend(replace::switch(
                    file,
                    &subtable.shape,
                    &subtable.working,
                    table,
                )?);
                let subtable = &mut self.tables[at];
                subtable.working.clone_from(&subtable.table);
                subtable.indexed = false;
                continue;
            }
            if ownership::owner(&file.connection, table)? != Some(ours.clone()) {
                continue;
            }
            let structure = TableStructure::read(&file.connection, table)?;
            match (structure, root) {
                (Some(structure), Some(root))
                    if !self.can_take_items(subtable, &structure, root) =>
                {
                    file.execute(&format!("drop table {}", quoted(table)))?;
                }
                _ => replace::empty(file, table)?,
            }
        }
        Ok(notes)
    }

    /// Whether the columns of the record's key in a table of the former version are those of the new one.
    fn can_take_items(
        &self,
        subtable: &Subtable,
        structure: &TableStructure,
        root: &TableShape,
    ) -> bool {
        let present = subtable.key(&self.key);
        present.iter().all(|name| structure.has_column(name))
            && structure
                .require(&subtable.table, self.source_key_columns(root))
                .is_ok()
    }
}
