//! Loads of one table that are to be cut short, and driving them.

use selvedge_connector::{Checkpoint, ConnectorError, Destination, LoadMode, TableTarget};

use crate::conformance::{Stored, Subject, TABLE, json, merge};

/// One run: what each commit brings.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub key: &'static [&'static str],
    pub mode: LoadMode,
    pub commits: &'static [&'static [(i64, &'static str)]],
}

/// A load and what was there before it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub before: &'static [Run],
    pub run: Run,
}

const KEYED: Run = Run {
    key: &["id"],
    mode: LoadMode::Merge,
    commits: &[
        &[
            (1, r#"{"id":1,"v":1}"#),
            (2, r#"{"id":2,"v":2}"#),
            (3, r#"{"id":null,"v":3}"#),
        ],
        &[
            (4, r#"{"id":2,"v":"split"}"#),
            (5, r#"{"id":3,"v":3,"more":true}"#),
            (6, r#"{"id":4,"_sdc_own":1}"#),
        ],
    ],
};

const NESTED: Run = Run {
    key: &["id"],
    mode: LoadMode::Merge,
    commits: &[&[
        (1, r#"{"id":1,"tags":["a","b"]}"#),
        (2, r#"{"id":2,"tags":["c"]}"#),
    ]],
};

const OTHERS: Run = Run {
    commits: &[
        &[(11, r#"{"id":2,"v":2}"#), (12, r#"{"id":3,"w":"new"}"#)],
        &[(13, r#"{"id":2,"v":3}"#)],
    ],
    ..KEYED
};

/// A table that is filled for the first time.
pub const FIRST_LOAD: Scenario = Scenario {
    before: &[],
    run: KEYED,
};

/// Newer rows, older ones, equals, and a new column.
pub const UPSERT: Scenario = Scenario {
    before: &[KEYED],
    run: Run {
        commits: &[
            &[(4, r#"{"id":2,"v":"equal"}"#), (14, r#"{"id":1,"w":1}"#)],
            &[(15, r#"{"id":5,"v":5}"#), (15, r#"{"id":5,"v":6}"#)],
        ],
        ..KEYED
    },
};

/// Rows that nothing tells from what a repeated load would bring.
pub const APPEND: Scenario = Scenario {
    before: &[Run { key: &[], ..OTHERS }],
    run: Run {
        key: &[],
        commits: &[
            &[(21, r#"{"v":2}"#), (22, r#"{"v":2}"#)],
            &[(23, r#"{"v":"x"}"#)],
        ],
        ..OTHERS
    },
};

/// The same into a table that is not there yet.
pub const FIRST_APPEND: Scenario = Scenario {
    before: &[],
    run: APPEND.run,
};

/// A first pass over a whole stream.
pub const FIRST_PASS: Scenario = Scenario {
    before: &[],
    run: Run {
        mode: LoadMode::Replace,
        ..OTHERS
    },
};

/// New rows, of another structure, in place of all there are.
pub const REPLACEMENT: Scenario = Scenario {
    before: &[KEYED],
    run: Run {
        mode: LoadMode::Replace,
        ..OTHERS
    },
};

/// Arrays that shrink, grow and are new.
pub const ITEMS: Scenario = Scenario {
    before: &[NESTED],
    run: Run {
        commits: &[&[
            (11, r#"{"id":1,"tags":["d"]}"#),
            (12, r#"{"id":2,"tags":[],"notes":["x"]}"#),
        ]],
        ..NESTED
    },
};

/// Items in place of all there are.
pub const ITEMS_REPLACED: Scenario = Scenario {
    before: &[NESTED],
    run: Run {
        mode: LoadMode::Replace,
        ..ITEMS.run
    },
};

/// All tables that the scenarios write to.
const TABLES: [&str; 3] = [TABLE, "orders__tags", "orders__notes"];

/// Brings the destination to where the scenario begins.
pub(super) async fn prepare(subject: &impl Subject, scenario: Scenario) {
    for run in scenario.before {
        let before = Scenario {
            before: &[],
            run: *run,
        };
        let driven = drive(subject, subject.destination(), before, 0, 0, &mut |_| {}).await;
        driven.unwrap();
    }
}

/// One run, by the fence as its number. `saved` is how many commits are known to be durable; `save` is told of each that is.
pub(super) async fn drive(
    subject: &impl Subject,
    destination: &dyn Destination,
    scenario: Scenario,
    fence: i64,
    saved: usize,
    save: &mut (dyn FnMut(usize) + Send),
) -> Result<(), ConnectorError> {
    let run = scenario.run;
    // What was there before is no commit of this load.
    let load = match fence {
        0 => "before",
        _ => "load",
    };
    let target = TableTarget {
        mode: run.mode,
        table_version: fence.min(1),
        ..merge(subject, run.key)
    };
    let context = subject.context(fence);
    let mut writer = destination.open(context, target.clone()).await?;
    let end = run.commits.len() + 1;
    let remembered = writer
        .committed_position()
        .and_then(|position| position.strip_prefix(load)?.trim().parse().ok());
    let mut done = remembered.unwrap_or(0).max(saved);
    if done == end {
        return Ok(());
    }
    if run.mode == LoadMode::Replace {
        done = 0;
    }
    let checkpoint = |place: usize| Checkpoint {
        number: i64::try_from(place).unwrap_or(i64::MAX),
        position: Some(format!("{load} {place}")),
    };
    for (place, records) in (1..).zip(run.commits).skip(done) {
        writer.write(json(subject, &target, records)).await?;
        if writer.commit(checkpoint(place)).await?.durable {
            save(place);
        }
    }
    writer.finish(checkpoint(end)).await?;
    save(end);
    Ok(())
}

/// Everything but generated keys, by table, in an order of its own.
pub(super) async fn content(subject: &impl Subject) -> Vec<Stored> {
    let mut tables = Vec::new();
    for table in TABLES {
        let stored = subject.stored(table).await.unwrap_or_default();
        let named = |name: &&String| !name.ends_with("__sdc_primary_key");
        let columns: Vec<String> = stored.columns.iter().filter(named).cloned().collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows = stored.show(&names).into_iter();
        tables.push(Stored {
            rows: rows.map(|row| vec![Some(row)]).collect(),
            columns,
        });
    }
    tables
}
