//! Environments made for real, from a package index that is a folder.

mod installing;
mod wheel;
