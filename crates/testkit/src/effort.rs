//! How much a randomised test does: little by default, thousands of seeds under `cargo xtask soak`.

use std::str::FromStr;

/// The seeds a kill test goes through, with the kills of each: `SELVEDGE_KILLS` in all, else `default`. A seed has at least a
/// hundred of them, so that few kills have few seeds.
pub fn kills_by_seed(default: u32) -> impl Iterator<Item = (u64, u32)> {
    let kills = from_environment("SELVEDGE_KILLS").unwrap_or(default);
    let seeds = seeds(1);
    let most = u64::from((kills / 100).max(1));
    let count = (seeds.end - seeds.start).clamp(1, most);
    let each = u32::try_from(u64::from(kills) / count).unwrap_or(kills);
    (seeds.start..seeds.start + count).map(move |seed| (seed, each))
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

/// Whether more is asked for than a suite has time for.
pub fn is_soak() -> bool {
    from_environment::<u64>("SELVEDGE_SEEDS").is_some()
}

fn from_environment<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(_) => panic!("{name} must be a number, not {text:?}"),
    }
}
