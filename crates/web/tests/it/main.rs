//! The pages, through their router.

mod docs;
mod pages;
mod site;
