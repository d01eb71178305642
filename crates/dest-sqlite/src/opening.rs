//! How a table will be loaded, decided from what is there. Reads only; what has to be done first is listed.

use rusqlite::Connection;
use selvedge_connector::{ConnectorError, LoadMode, TableTarget};
use selvedge_shape::{
    ColumnType, Dialect, ExistingColumn, ExistingTable, Rejection, TableShape, names, system,
};

use crate::marks::Marks;
use crate::ownership::{self, Owner};
use crate::structure::{TableStructure, same_names};

/// The way rows take.
#[derive(Debug)]
pub(crate) enum Route {
    /// Into a table that is new; its key comes at the end.
    Direct,
    /// Into the table that is there.
    Existing,
    /// Into a table beside it, which takes its place at the end.
    Beside,
    /// Nowhere: a newer version of the table is complete.
    Outdated,
    /// Into the rejections: the table or its key cannot have its name.
    Refused(Rejection),
}

/// Something to do in the first transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Preparation {
    DropTable(String),
    /// The key does not tell rows apart any more.
    DropKey,
    /// An earlier first load was cut short before it built the key.
    RecoverKey(Vec<String>),
    /// The stream has no key any more.
    AddGeneratedKey,
}

/// The decision.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) route: Route,
    /// `None` when the route is [`Route::Refused`] or [`Route::Outdated`].
    pub(crate) shape: Option<TableShape>,
    /// The table's name in the file.
    pub(crate) table: String,
    /// The table that rows go into: `table`, or the one beside it.
    pub(crate) working: String,
    pub(crate) preparations: Vec<Preparation>,
    /// Whether the commit mark says that a first load is at work.
    pub(crate) loading: bool,
    /// The version that is complete in the table.
    pub(crate) table_version: i64,
    /// The position of the last commit.
    pub(crate) committed: Option<String>,
    pub(crate) notes: Vec<String>,
}

impl Opening {
    /// `connection` is `None` while there is no file.
    pub(crate) fn decide(
        connection: Option<&Connection>,
        target: &TableTarget,
        marks: &Marks,
    ) -> Result<Self, ConnectorError> {
        let refused = |reason| Self {
            route: Route::Refused(reason),
            shape: None,
            table: target.table_name.clone(),
            working: String::new(),
            preparations: Vec::new(),
            loading: false,
            table_version: 0,
            committed: None,
            notes: Vec::new(),
        };
        let table = match names::table(&Dialect::SQLITE, &target.schema_name, &target.table_name) {
            Ok(table) => table,
            Err(reason) => return Ok(refused(reason)),
        };
        let (structure, mark) = match connection {
            Some(connection) => {
                marks.check_fence(connection)?;
                match ownership::owner(connection, &table)? {
                    Some(owner) if owner == Owner::stream(&target.schema_name) => {}
                    // The items of an array of another stream are there.
                    Some(owner) if owner.schema_name == target.schema_name => {
                        let column = target.table_name.clone();
                        return Ok(refused(Rejection::Collision { column }));
                    }
                    Some(owner) => return Err(owner.refuses(&table)),
                    None => {}
                }
                (
                    TableStructure::read(connection, &table)?,
                    marks.about(connection, &table)?,
                )
            }
            None => (None, Default::default()),
        };
        let beside = ownership::beside(&target.schema_name, &table);
        // A replacement that was cut short.
        let leftover = match connection {
            Some(connection) => TableStructure::read(connection, &beside)?
                .map(|_| Preparation::DropTable(beside.clone())),
            None => None,
        };
        let existing = structure.as_ref().map(TableStructure::for_planner);
        let fresh = |existing| {
            TableShape::new(
                &Dialect::SQLITE,
                &target.schema_name,
                &target.table_name,
                &target.key,
                existing,
            )
        };
        let mut opening = Self {
            route: Route::Direct,
            shape: None,
            working: table.clone(),
            table,
            preparations: leftover.into_iter().collect(),
            loading: true,
            table_version: mark.table_version,
            // A table that is gone took its rows along: what was committed to it counts no more.
            committed: mark.position.clone().filter(|_| structure.is_some()),
            notes: Vec::new(),
        };
        match (structure, existing, target.mode) {
            (Some(_), _, LoadMode::Replace)
                if !mark.loading && mark.table_version > target.table_version =>
            {
                opening.route = Route::Outdated;
                opening.loading = false;
                opening.notes.push(format!(
                    "table {} already has version {}; version {} is left out",
                    opening.table, mark.table_version, target.table_version
                ));
                return Ok(opening);
            }
            (Some(structure), Some(existing), LoadMode::Merge) => {
                opening.route = Route::Existing;
                opening.loading = mark.loading;
                match opening.merge_into(structure, existing, target, fresh)? {
                    Ok(shape) => opening.shape = Some(shape),
                    Err(reason) => return Ok(refused(reason)),
                }
                return Ok(opening);
            }
            (Some(_), _, _) if mark.loading => {
                let table = opening.table.clone();
                opening.preparations.push(Preparation::DropTable(table));
            }
            (Some(_), _, _) => {
                opening.route = Route::Beside;
                opening.loading = false;
                opening.working = beside;
            }
            (None, _, _) => {}
        }
        match fresh(None) {
            Ok(shape) => opening.shape = Some(shape),
            Err(reason) => return Ok(refused(reason)),
        }
        Ok(opening)
    }

    /// Rows are to go into a table that exists: which key do they share?
    fn merge_into(
        &mut self,
        structure: TableStructure,
        mut existing: ExistingTable,
        target: &TableTarget,
        fresh: impl Fn(Option<ExistingTable>) -> Result<TableShape, Rejection>,
    ) -> Result<Result<TableShape, Rejection>, ConnectorError> {
        structure.require(&self.table, system::columns(false))?;
        if target.key.is_empty() && !structure.has_column(system::PRIMARY_KEY) {
            self.preparations.push(Preparation::AddGeneratedKey);
            existing.columns.push(ExistingColumn {
                name: system::PRIMARY_KEY.to_owned(),
                column_type: Some(ColumnType::Text),
            });
        }
        let mut shape = match fresh(Some(existing)) {
            Ok(shape) => shape,
            Err(reason) => return Ok(Err(reason)),
        };
        let wanted: Option<Vec<String>> = shape
            .key_columns()
            .map(|key| key.into_iter().map(str::to_owned).collect());
        if let Some(column) = shape.lone_split_column(&target.schema) {
            return Err(ConnectorError::table(format!(
                "the column {column} of table {} was split by type, and its sibling is missing: restore it, or drop the \
                 table or reset it",
                self.table
            )));
        }
        let recoverable = |key: &[String]| key.iter().all(|name| structure.has_column(name));
        match (wanted, &structure.key) {
            (Some(wanted), Some(present)) if same_names(&wanted, present) => self.loading = false,
            (Some(wanted), None) if self.loading && recoverable(&wanted) => {
                self.preparations.push(Preparation::RecoverKey(wanted));
                self.loading = false;
            }
            (None, None) => {}
            (wanted, _) => {
                shape.give_up_key();
                self.preparations.push(Preparation::DropKey);
                self.notes.push(match wanted {
                    Some(wanted) => format!(
                        "the key of table {} is not ({}): rows are appended from now on",
                        self.table,
                        wanted.join(", ")
                    ),
                    None => format!(
                        "the stream of table {} has no key any more: rows are appended from now on",
                        self.table
                    ),
                });
            }
        }
        Ok(Ok(shape))
    }
}
