//! Singer taps as sources, through the API of the real server.

mod scripted;

use std::path::{Path, PathBuf};

use selvedge_testkit::server::ServerSettings;
use serde_json::{Value, json};

use crate::platform::settings;

/// A server with source types of its operator, which `types` lists as the operator would write them.
pub(crate) fn with_types(folder: &Path, types: &Value) -> ServerSettings {
    let file = folder.join("types.json");
    std::fs::write(&file, types.to_string()).expect("the types can be written");
    let config = folder.join("selvedge.toml");
    let text = format!("[taps]\ntypes = [{}]\n", json!(file));
    std::fs::write(&config, text).expect("the settings can be written");
    settings().environment("SELVEDGE_CONFIG", config.display().to_string())
}

/// The Python that the tests have, for taps that are scripts.
pub(crate) fn python() -> PathBuf {
    let named = std::env::var_os("SELVEDGE_TEST_PYTHON");
    named.map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}
