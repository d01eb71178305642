//! A table's primary key. Its texts are `VARCHAR` of a collation that compares bytes and pads nothing, so that `a`, `A` and
//! `a ` are three keys.

use selvedge_shape::{Column, ColumnType, TableShape, system};

use crate::types::key_characters;

/// `__sdc_primary_key` holds UUIDs.
const UUID_CHARACTERS: usize = 36;

/// Columns of a primary key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) columns: Vec<KeyColumn>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    pub(crate) name: String,
    /// For texts: the longest that fits.
    pub(crate) characters: Option<usize>,
}

impl Key {
    /// The key of a table that is about to be made of `columns`: the stream's, or the generated one.
    pub(crate) fn planned(shape: &TableShape, columns: &[Column]) -> Self {
        let names = names(shape);
        let typed = |name: &str| {
            columns
                .iter()
                .find(|column| column.name == name)
                .map(|column| &column.column_type)
        };
        let characters = match shape.declares_key() {
            true => key_characters(names.iter().filter_map(|name| typed(name))),
            false => UUID_CHARACTERS,
        };
        let columns = names
            .iter()
            .map(|name| KeyColumn {
                name: name.clone(),
                characters: (typed(name) == Some(&ColumnType::Text)).then_some(characters),
            })
            .collect();
        Self { columns }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    pub(crate) fn column(&self, name: &str) -> Option<&KeyColumn> {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether this is the key that the stream of `shape` needs. Keys are sets of names: their order does not matter.
    pub(crate) fn serves(&self, shape: &TableShape) -> bool {
        let names = names(shape);
        self.columns.len() == names.len() && names.iter().all(|name| self.column(name).is_some())
    }
}

fn names(shape: &TableShape) -> Vec<String> {
    match shape.declares_key() {
        true => shape
            .key_columns()
            .unwrap_or_default()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        false => vec![system::PRIMARY_KEY.to_owned()],
    }
}
