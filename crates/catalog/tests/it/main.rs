//! The catalogue as its users see it.

mod cards;
mod catalog;
mod documented;
mod instances;
mod reference;
mod schedules;
mod served;
