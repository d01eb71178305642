//! The catalogue as its users see it.

mod cards;
mod catalog;
mod instances;
mod reference;
mod schedules;
