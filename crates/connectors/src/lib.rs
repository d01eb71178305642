//! The registry: every connector in one list.
