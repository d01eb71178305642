//! The pages, through their router.

mod browser;
mod docs;
mod pages;
mod reading;
mod reference;
mod site;
