//! A SQLite file as a source.
