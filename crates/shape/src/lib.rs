//! Source columns into destination columns: names, types, splits, system columns.
