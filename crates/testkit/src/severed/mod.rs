//! Loads that are cut short at every step, one after the other: the connection breaks at every message ([`survives_every_cut`],
//! for destinations behind a wire), or the process dies at every statement ([`killed`], for those in files).
//!
//! A load is driven as the engine does: batches and commits, a position that is saved after each durable commit, and after a
//! failure another run that goes on behind whatever was saved or the destination remembers. Wherever the cut was, in the end
//! the tables are what they are without one.

pub mod killed;
pub mod scenario;
pub mod wire;

use async_trait::async_trait;
use selvedge_connector::{Destination, ErrorKind};
use tokio::task::JoinSet;

use crate::conformance::{Stored, Subject};
use scenario::{Scenario, content, drive, prepare};
use wire::{Cut, Protocol, Side, Wire};

/// Sessions under test at the same time.
const AT_ONCE: usize = 4;

/// A destination that can be reached by another port.
#[async_trait]
pub trait Severable: Subject + Send + Sized + 'static {
    /// Fresh, with a schema of its own.
    async fn fresh() -> Self;

    fn protocol() -> Protocol;

    /// Host and port of the server.
    fn server(&self) -> (String, u16);

    /// The same destination behind a port of the loopback interface.
    fn behind(&self, port: u16) -> Box<dyn Destination>;
}

/// Cuts the scenario's load at every message.
///
/// A message that never comes and one whose predecessor's answer never comes are the same to the server; only a commit that
/// was heard of makes a difference, and only where rows have no key. So the second side is left to those, and to a soak.
///
/// # Panics
/// When the tables differ from what they are without a cut, a cut is not told as one, or the load cannot be repeated.
pub async fn survives_every_cut<S: Severable>(scenario: Scenario) {
    let whole = S::fresh().await;
    prepare(&whole, scenario).await;
    let driven = drive(&whole, whole.destination(), scenario, 1, 0, &mut |_| {}).await;
    driven.unwrap();
    let expected = content(&whole).await;
    let mut attempts = JoinSet::new();
    let sides: &[Side] = match scenario.run.key.is_empty() || crate::effort::is_soak() {
        true => &[Side::Before, Side::After],
        false => &[Side::After],
    };
    let cut = |message| {
        sides.iter().map(move |side| Cut {
            message,
            side: *side,
        })
    };
    let mut cuts = (1..).flat_map(cut);
    let (mut done, mut cut_count) = (false, 0);
    while !done || !attempts.is_empty() {
        while !done && attempts.len() < AT_ONCE {
            let (cut, expected) = (cuts.next().expect("no end"), expected.clone());
            attempts.spawn(async move { attempt::<S>(scenario, cut, &expected).await });
        }
        match attempts.join_next().await {
            Some(Ok(true)) => cut_count += 1,
            // The load had fewer messages.
            Some(Ok(false)) => done = true,
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => {}
        }
    }
    assert!(cut_count > 20, "only {cut_count} cuts");
}

/// Whether there was such a message.
async fn attempt<S: Severable>(scenario: Scenario, cut: Cut, expected: &[Stored]) -> bool {
    let subject = S::fresh().await;
    prepare(&subject, scenario).await;
    let wire = Wire::lay(subject.server(), S::protocol(), cut).await;
    let wire = wire.expect("a port of this machine");
    let behind = subject.behind(wire.port());
    let mut saved = 0;
    let mut save = |place| saved = place;
    let driven = drive(&subject, behind.as_ref(), scenario, 1, 0, &mut save).await;
    let was_cut = wire.take_down().await;
    if let Err(error) = driven {
        assert!(was_cut, "{error:?}");
        assert_eq!(error.kind, ErrorKind::Unreachable, "{cut:?}: {error:?}");
        let again = subject.destination();
        let repeated = drive(&subject, again, scenario, 2, saved, &mut |_| {}).await;
        repeated.unwrap_or_else(|error| panic!("{cut:?}: the repeated load failed: {error:?}"));
    }
    assert_eq!(content(&subject).await, expected, "{cut:?}");
    was_cut
}
