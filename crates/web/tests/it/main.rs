//! The pages, through their router.

mod docs;
mod pages;
mod reference;
mod site;
