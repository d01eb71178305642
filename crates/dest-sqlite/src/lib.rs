//! A SQLite file as a destination.
