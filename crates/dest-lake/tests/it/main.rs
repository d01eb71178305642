//! Loads into directories and buckets, and what is there afterwards.

mod bucket;
mod bucket_check;
mod checking;
mod conformance;
mod csv;
mod full_table;
mod json_lines;
mod names;
mod parquet;
mod reading;
mod support;
