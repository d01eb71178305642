//! The places of records: what has been seen where, and the columns that belong to it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::ArrowError;
use selvedge_connector::{Field, LogicalType, StreamSchema};
use selvedge_json::{Scanner, Word};
use serde_json::Value;

use super::columns::{Column, Kind};
use super::rules::{RuleId, Rules};

/// Places of all records of a batch together; a record that needs more is rejected. Ten times what the destinations with the
/// most columns can hold.
pub(crate) const MAX_PLACES: usize = 100_000;

/// So many columns of NULLs alone are carried along.
const MAX_UNUSED_COLUMNS: usize = 1_000;

/// Absent index.
pub(crate) const NONE: u32 = u32::MAX;

/// A property at the end of one path, or the items of one array.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) rule: RuleId,
    pub(crate) table: u32,
    /// Name and way; its type means nothing.
    pub(crate) field: Field,
    /// Objects and arrays stay whole here: a key field's.
    pub(crate) is_key: bool,
    /// Index in the table's columns, by kind.
    pub(crate) columns: [u32; Kind::COUNT],
    /// What is known of objects here.
    pub(crate) object: u32,
    /// The subtable of arrays here.
    pub(crate) items: u32,
    /// The object in which the property was met last: twice in one is a repetition.
    pub(crate) met_in: u64,
}

/// Objects at one place.
#[derive(Debug)]
pub(crate) struct Object {
    rule: RuleId,
    table: u32,
    /// The place, `None` for the record itself and for items of arrays: their properties have columns of their own name.
    within: Option<u32>,
    /// Properties in the order they were first met.
    properties: Vec<Property>,
    index: HashMap<Box<str>, u32>,
}

#[derive(Debug)]
struct Property {
    name: Box<str>,
    /// The name as it is written, with its quotes and the colon behind it.
    head: Word,
    place: u32,
}

/// The rows of the records (the first), or of the items of one array.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) path: Vec<String>,
    /// The place of the items; [`NONE`] for the records.
    pub(crate) item: u32,
    pub(crate) columns: Vec<Column>,
    /// Columns with a value since the last batch.
    pub(crate) used_columns: usize,
    pub(crate) rows: usize,
    /// For each row the row of its record.
    pub(crate) root_rows: Vec<u32>,
    /// For each array on the path the index of the item, by row.
    pub(crate) levels: Vec<Vec<i32>>,
    /// As of the last batch; `None` once there are more columns.
    pub(crate) schema: Option<Arc<StreamSchema>>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) places: Vec<Place>,
    objects: Vec<Object>,
    pub(crate) tables: Vec<Table>,
    key: Vec<String>,
}

/// Records have more places than can be kept.
pub(crate) struct TooManyPlaces;

/// The record's own object.
pub(crate) const ROOT: u32 = 0;

impl Tree {
    /// `key` names the properties of the record whose values stay whole.
    pub(crate) fn new(key: &[String], rules: &Rules) -> Self {
        let root = Object::new(rules.root, 0, None);
        Self {
            places: Vec::new(),
            objects: vec![root],
            tables: vec![Table::new(Vec::new(), NONE, 0)],
            key: key.to_vec(),
        }
    }

    /// The place of the property that is expected next, if its name stands here; consumes the name and the colon. `expected` is
    /// moved on: records of one table mostly have the same properties in the same order.
    #[inline(always)]
    pub(crate) fn expected(
        &self,
        object: u32,
        scanner: &mut Scanner<'_>,
        expected: &mut usize,
    ) -> Option<u32> {
        let next = self.objects[object as usize].properties.get(*expected)?;
        let found = scanner.known_word(&next.head);
        *expected += usize::from(found);
        found.then_some(next.place)
    }

    /// The place of a property, whose name is known. `expected` is as for [`Tree::expected`].
    #[inline(never)]
    pub(crate) fn property(
        &mut self,
        object: u32,
        name: &str,
        expected: &mut usize,
        rules: &Rules,
    ) -> Result<u32, TooManyPlaces> {
        let known = &self.objects[object as usize];
        if let Some(next) = known.properties.get(*expected)
            && *next.name == *name
        {
            *expected += 1;
            return Ok(next.place);
        }
        if let Some(position) = known.index.get(name) {
            *expected = *position as usize + 1;
            return Ok(known.properties[*position as usize].place);
        }
        let place = self.add_property(object, name, rules)?;
        *expected = self.objects[object as usize].properties.len();
        Ok(place)
    }

    #[cold]
    fn add_property(
        &mut self,
        object: u32,
        name: &str,
        rules: &Rules,
    ) -> Result<u32, TooManyPlaces> {
        let known = &self.objects[object as usize];
        let field = match known.within {
            None => Field::new(name, LogicalType::Json),
            Some(place) => {
                let mut field = self.places[place as usize].field.clone();
                field.inside.push(name.to_owned());
                field
            }
        };
        let is_key = object == ROOT && self.key.iter().any(|key| key == name);
        let rule = rules.get(known.rule).property(name);
        let place = self.add_place(Place::new(rule, known.table, field, is_key))?;
        let known = &mut self.objects[object as usize];
        // Places are fewer than 2^32.
        let position = known.properties.len() as u32;
        known.index.insert(name.into(), position);
        known.properties.push(Property {
            name: name.into(),
            head: Word::new(&format!("{}:", Value::from(name))),
            place,
        });
        Ok(place)
    }

    fn add_place(&mut self, place: Place) -> Result<u32, TooManyPlaces> {
        if self.places.len() >= MAX_PLACES {
            return Err(TooManyPlaces);
        }
        self.places.push(place);
        Ok((self.places.len() - 1) as u32)
    }

    /// What is known of the objects at a place.
    #[inline]
    pub(crate) fn object(&mut self, place: u32) -> u32 {
        match self.places[place as usize].object {
            NONE => self.add_object(place),
            object => object,
        }
    }

    #[cold]
    fn add_object(&mut self, place: u32) -> u32 {
        let Place { rule, table, .. } = self.places[place as usize];
        let is_item = self.tables[table as usize].item == place;
        let within = (!is_item).then_some(place);
        self.objects.push(Object::new(rule, table, within));
        let object = (self.objects.len() - 1) as u32;
        self.places[place as usize].object = object;
        object
    }

    /// The subtable of the arrays at a place.
    #[inline]
    pub(crate) fn items(&mut self, place: u32, rules: &Rules) -> Result<u32, TooManyPlaces> {
        match self.places[place as usize].items {
            NONE => self.add_items(place, rules),
            table => Ok(table),
        }
    }

    #[cold]
    fn add_items(&mut self, place: u32, rules: &Rules) -> Result<u32, TooManyPlaces> {
        let Place {
            rule,
            table,
            ref field,
            ..
        } = self.places[place as usize];
        let parent = &self.tables[table as usize];
        let mut path = parent.path.clone();
        path.push(field.name.clone());
        path.extend(field.inside.iter().cloned());
        let levels = parent.levels.len() + 1;
        let items = self.tables.len() as u32;
        let value = Field::new("value", LogicalType::Json);
        let item_rule = rules.get(rule).items;
        let item = self.add_place(Place::new(item_rule, items, value, false))?;
        self.tables.push(Table::new(path, item, levels));
        self.places[place as usize].items = items;
        Ok(items)
    }

    /// The column for values of a kind at a place, as long as the rows before the current one.
    #[inline]
    pub(crate) fn column(&mut self, place: u32, kind: Kind) -> &mut Column {
        let place = &mut self.places[place as usize];
        let table = &mut self.tables[place.table as usize];
        let index = &mut place.columns[kind as usize];
        if *index == NONE {
            *index = table.columns.len() as u32;
            table.columns.push(Column::new(&place.field, kind));
            table.schema = None;
        }
        let column = &mut table.columns[*index as usize];
        table.used_columns += usize::from(column.is_unused());
        column.pad(table.rows - 1);
        column
    }

    /// Takes back the rows of the last record.
    pub(crate) fn roll_back(&mut self) {
        let last = self.tables[0].rows.saturating_sub(1);
        for (index, table) in self.tables.iter_mut().enumerate() {
            let rows = match index {
                0 => last,
                _ => table
                    .root_rows
                    .partition_point(|root_row| (*root_row as usize) < last),
            };
            table.rows = rows;
            table.root_rows.truncate(rows);
            for level in &mut table.levels {
                level.truncate(rows);
            }
            for column in &mut table.columns {
                let was_used = !column.is_unused();
                column.truncate(rows);
                table.used_columns -= usize::from(was_used && column.is_unused());
            }
        }
    }

    /// Cells that the rows so far take up, NULLs included.
    pub(crate) fn cell_count(&self) -> usize {
        self.tables
            .iter()
            .map(|table| table.rows * (table.used_columns + table.levels.len() + 1))
            .sum()
    }
}

impl Place {
    fn new(rule: RuleId, table: u32, field: Field, is_key: bool) -> Self {
        Self {
            rule,
            table,
            field,
            is_key,
            columns: [NONE; Kind::COUNT],
            object: NONE,
            items: NONE,
            met_in: 0,
        }
    }
}

impl Object {
    fn new(rule: RuleId, table: u32, within: Option<u32>) -> Self {
        Self {
            rule,
            table,
            within,
            properties: Vec::new(),
            index: HashMap::new(),
        }
    }
}

impl Table {
    fn new(path: Vec<String>, item: u32, levels: usize) -> Self {
        Self {
            path,
            item,
            columns: Vec::new(),
            used_columns: 0,
            rows: 0,
            root_rows: Vec::new(),
            levels: vec![Vec::new(); levels],
            schema: None,
        }
    }

    /// The fields of all columns; the same `Arc` for as long as there is no new one.
    fn whole_schema(&mut self) -> Arc<StreamSchema> {
        let columns = &self.columns;
        let schema = self.schema.get_or_insert_with(|| {
            StreamSchema::new(columns.iter().map(|column| column.field.clone()).collect())
        });
        Arc::clone(schema)
    }

    /// The rows since the last batch. Batches have all columns, so that their schema stays the same, unless a great many
    /// would hold NULLs alone.
    pub(crate) fn take(&mut self) -> Result<(Arc<StreamSchema>, RecordBatch), ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        self.root_rows.clear();
        for column in &mut self.columns {
            if column.widens() {
                self.schema = None;
            }
        }
        let unused = self.columns.len() - std::mem::take(&mut self.used_columns);
        let (schema, columns) = match unused > MAX_UNUSED_COLUMNS {
            false => {
                let columns = self.columns.iter_mut();
                let columns = columns
                    .map(|column| column.take(rows))
                    .collect::<Result<_, _>>()?;
                (self.whole_schema(), columns)
            }
            true => {
                let used = self.columns.iter_mut().filter(|column| !column.is_unused());
                let (fields, columns) = used
                    .map(|column| Ok((column.field.clone(), column.take(rows)?)))
                    .collect::<Result<(Vec<_>, Vec<_>), ArrowError>>()?;
                (StreamSchema::new(fields), columns)
            }
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = RecordBatch::try_new_with_options(schema.arrow_schema(), columns, &options)?;
        Ok((schema, records))
    }
}
