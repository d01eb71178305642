//! How much a randomised test does: little by default, thousands of seeds under `cargo xtask soak`.

use std::str::FromStr;

/// How many kills a kill test makes: `SELVEDGE_KILLS`, else `default`.
pub fn kills(default: u32) -> u32 {
    from_environment("SELVEDGE_KILLS").unwrap_or(default)
}

/// The seeds a randomised test goes through: the one in `SELVEDGE_SEED`, or `0..SELVEDGE_SEEDS`, else `0..default`.
///
/// A test names the seed in its failure, so that this one can be replayed.
pub fn seeds(default: u64) -> std::ops::Range<u64> {
    match from_environment::<u64>("SELVEDGE_SEED") {
        Some(seed) => seed..seed.saturating_add(1),
        None => 0..from_environment("SELVEDGE_SEEDS").unwrap_or(default),
    }
}

fn from_environment<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(_) => panic!("{name} must be a number, not {text:?}"),
    }
}
