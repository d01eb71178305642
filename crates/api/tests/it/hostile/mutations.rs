//! Valid bodies, changed at random: as JSON, and then as bytes. `cargo xtask soak` goes through many more seeds.

use http::Method;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use selvedge_testkit::effort;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{Target, corpus};
use crate::app::TestApp;
use crate::walk::operations;

/// Bodies per seed.
const CASES: u32 = 100;

/// What is done to a body.
#[derive(Clone, Debug)]
struct Mutation {
    operation: Index,
    structure: Vec<(Index, Structural)>,
    bytes: Vec<(Index, Bytewise)>,
}

/// A change at a place of a JSON value.
#[derive(Clone, Debug)]
enum Structural {
    /// Puts a value of the corpus there, as far as it is one.
    Hostile(Index),
    /// Copies the value of another place there.
    Copy(Index),
    Text(String),
    Number(f64),
    Remove,
}

/// A change at a position of a text.
#[derive(Clone, Debug)]
enum Bytewise {
    Replace(u8),
    Insert(u8),
    Delete,
    /// Everything behind it.
    Cut,
    /// Ten bytes once more.
    Repeat,
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let structural = prop_oneof![
        any::<Index>().prop_map(Structural::Hostile),
        any::<Index>().prop_map(Structural::Copy),
        any::<String>().prop_map(Structural::Text),
        any::<f64>().prop_map(Structural::Number),
        Just(Structural::Remove),
    ];
    let bytewise = prop_oneof![
        any::<u8>().prop_map(Bytewise::Replace),
        any::<u8>().prop_map(Bytewise::Insert),
        Just(Bytewise::Delete),
        Just(Bytewise::Cut),
        Just(Bytewise::Repeat),
    ];
    let structure = prop::collection::vec((any::<Index>(), structural), 0..4);
    // Most texts that are changed by bytes are no JSON any more.
    let bytes = prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec((any::<Index>(), bytewise), 1..4),
    ];
    (any::<Index>(), structure, bytes).prop_map(|(operation, structure, bytes)| Mutation {
        operation,
        structure,
        bytes,
    })
}

impl Mutation {
    fn apply(&self, mut sample: Value, hostile: &[Value]) -> Vec<u8> {
        for (place, change) in &self.structure {
            let places = corpus::places(&sample);
            change.apply(&mut sample, place.get::<String>(&places), &places, hostile);
        }
        let mut text = sample.to_string().into_bytes();
        for (position, change) in &self.bytes {
            if !text.is_empty() {
                change.apply(&mut text, position);
            }
        }
        text
    }
}

impl Structural {
    fn apply(&self, value: &mut Value, place: &str, places: &[String], hostile: &[Value]) {
        let new = match self {
            Self::Hostile(index) => index.get(hostile).clone(),
            Self::Copy(index) => value.pointer(index.get::<String>(places)).cloned().unwrap(),
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Remove => {
                let (inside, key) = place.rsplit_once('/').unwrap_or_default();
                match value.pointer_mut(inside) {
                    Some(Value::Object(object)) => {
                        object.remove(key);
                    }
                    Some(Value::Array(elements)) => {
                        key.parse().map(|index: usize| elements.remove(index)).ok();
                    }
                    _ => {}
                }
                return;
            }
        };
        *value.pointer_mut(place).unwrap() = new;
    }
}

impl Bytewise {
    fn apply(&self, text: &mut Vec<u8>, position: &Index) {
        let position = position.index(text.len());
        match self {
            Self::Replace(byte) => text[position] = *byte,
            Self::Insert(byte) => text.insert(position, *byte),
            Self::Delete => {
                text.remove(position);
            }
            Self::Cut => text.truncate(position),
            Self::Repeat => {
                let end = text.len().min(position + 10);
                let again = text[position..end].to_vec();
                text.splice(position..position, again);
            }
        }
    }
}

#[test]
fn random_changes_of_valid_bodies_get_a_documented_answer() {
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start());
    let all = runtime.block_on(operations(&app));
    let mut targets = Vec::new();
    for operation in all.iter().filter(|operation| operation.body.is_some()) {
        targets.push(runtime.block_on(Target::new(&app, &all, operation)));
    }
    let hostile: Vec<Value> = corpus::values()
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    for seed in effort::seeds(4) {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let tried = TestRunner::new_with_rng(config, random).run(&mutations(), |mutation| {
            let target = mutation.operation.get(&targets);
            assert_ne!(target.operation.method, Method::GET);
            let (path, sample) = target.request();
            let body = mutation.apply(sample, &hostile);
            runtime.block_on(target.send(&path, &[], body));
            Ok(())
        });
        if let Err(failure) = tried {
            panic!("SELVEDGE_SEED={seed}: {failure}");
        }
    }
    for target in &targets {
        runtime.block_on(target.read_everything(&all));
    }
}
