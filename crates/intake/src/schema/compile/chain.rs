//! Whether holding a value against a schema ends.

use super::{Compiled, Invalid};
use crate::schema::rules::{Node, NodeId};

/// Schemas that one value is held against because one is made of the next.
const MAX_CHAIN: usize = 32;

/// Whether no schema is made of itself.
pub(super) fn ends(nodes: &[Node]) -> Compiled<()> {
    let mut lengths = vec![None; nodes.len()];
    for id in 0..nodes.len() {
        chain(nodes, id, 0, &mut lengths)?;
    }
    Ok(())
}

/// How many schemas a value is held against, one made of the next, if it is held against this one.
fn chain(
    nodes: &[Node],
    id: NodeId,
    passed: usize,
    lengths: &mut [Option<usize>],
) -> Compiled<usize> {
    if let Some(length) = lengths[id] {
        return match passed + length > MAX_CHAIN {
            true => Err(endless()),
            false => Ok(length),
        };
    }
    if passed == MAX_CHAIN {
        return Err(endless());
    }
    let mut length = 0;
    if let Some(combined) = &nodes[id].combined {
        let lists = [&combined.all, &combined.any, &combined.one];
        for next in lists.into_iter().flatten().chain(&combined.not) {
            length = length.max(1 + chain(nodes, *next, passed + 1, lengths)?);
        }
    }
    lengths[id] = Some(length);
    Ok(length)
}

fn endless() -> Invalid {
    Invalid(format!(
        "a schema is made of itself, or of more than {MAX_CHAIN} others"
    ))
}
