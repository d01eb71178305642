//! The pages, through their router.

mod pages;
mod site;
