//! The process dies at every statement of a load.

use std::path::Path;

use selvedge_testkit::severed::killed::{Mortal, survives_every_death};
use selvedge_testkit::severed::scenario;

use crate::conformance::Opened;

impl Mortal for Opened {
    const STEPS: &'static str = "selvedge_dest_sqlite::statement";

    fn within(folder: &Path) -> Self {
        Self::at(folder.join("account").join("warehouse.db"))
    }
}

#[tokio::test]
async fn a_first_load_is_right_wherever_the_process_died() {
    let test = "killed::a_first_load_is_right_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::FIRST_LOAD).await;
}

#[tokio::test]
async fn an_upsert_is_right_wherever_the_process_died() {
    let test = "killed::an_upsert_is_right_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::UPSERT).await;
}

#[tokio::test]
async fn appended_rows_are_there_once_wherever_the_process_died() {
    let test = "killed::appended_rows_are_there_once_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::APPEND).await;
}

#[tokio::test]
async fn a_first_append_is_right_wherever_the_process_died() {
    let test = "killed::a_first_append_is_right_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::FIRST_APPEND).await;
}

#[tokio::test]
async fn a_first_pass_is_right_wherever_the_process_died() {
    let test = "killed::a_first_pass_is_right_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::FIRST_PASS).await;
}

#[tokio::test]
async fn a_replacement_is_right_wherever_the_process_died() {
    let test = "killed::a_replacement_is_right_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::REPLACEMENT).await;
}

#[tokio::test]
async fn items_are_those_of_their_records_wherever_the_process_died() {
    let test = "killed::items_are_those_of_their_records_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::ITEMS).await;
}

#[tokio::test]
async fn replaced_items_are_right_wherever_the_process_died() {
    let test = "killed::replaced_items_are_right_wherever_the_process_died";
    survives_every_death::<Opened>(test, scenario::ITEMS_REPLACED).await;
}
