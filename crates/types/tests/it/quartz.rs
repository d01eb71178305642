//! Our reading of cron expressions against that of Quartz, whose dialect it is. `quartz/README.md` says where its answers
//! come from.

use selvedge_types::Timestamp;
use selvedge_types::schedule::CronSchedule;

const ANSWERS: &str = include_str!("quartz/answers.tsv");
/// The instant that the answers count from.
const FROM: &str = "2031-02-03T04:05:06Z";
const REFUSED: &str = "refused";

/// What Quartz takes and we refuse, because it makes something of it that nobody means.
const STRICTER: [&[&str]; 6] = [
    // A step beyond its field: a single value.
    &["0 0-30/90 * * * ?", "0 0 2-8/24 * * ?", "0 0 0 ? * 1-5/9"],
    // A step of 0: every value, or a single one.
    &["0 */0 * * * ?", "0 0/0 * * * ?"],
    // Text behind a value or behind the year: ignored.
    &[
        "0 0 12 * * ? * *",
        "0 0 12 * * ? * x",
        "0 0 12 ? * MONDAY",
        "0 0 12 ? JANUARY MON",
        "0 0 1.5 * * ?",
        "0 1-2-3 * * * ?",
        "0 *-5 * * * ?",
        "0 0 0 ?,1 * MON",
        "0 0 0 1-15W * ?",
        "0 0 0 L-W * ?",
        "0 0 0 ? * LW",
        "0 0 0 L-0 * ?",
    ],
    // Empty items: ignored.
    &["0 5, * * * ?", "0 ,5 * * * ?", "0 5,,6 * * * ?"],
    // W and # beside other items: one of them is ignored.
    &["0 0 0 15W,20 * ?", "0 0 0 ? * 6#3,2"],
    // C, which needs a calendar that nobody can give; years outside of the documented ones.
    &[
        "0 0 0 5C * ?",
        "0 0 0 ? * 1C",
        "0 0 0 1 1 ? 31",
        "0 0 0 1 1 ? 1969",
        "0 0 0 1 1 ? 2100",
    ],
];

/// The weekday nearest to a day that the month does not have: none for us; for Quartz the 28th of a February that ends on a
/// Friday, and none of other Februaries.
const DIFFERENT: [&str; 2] = ["0 0 0 29W 2 ?", "0 34/4 11-9 29W * ?"];

#[test]
fn expressions_mean_what_they_mean_to_quartz() {
    let mut agreed = 0;
    for (expression, answer) in answers() {
        if DIFFERENT.contains(&expression.as_str()) || stricter(&expression) {
            continue;
        }
        assert_eq!(ours(&expression), answer, "{expression:?}");
        agreed += 1;
    }
    assert!(agreed > 500, "only {agreed} expressions were compared");
}

#[test]
fn what_only_quartz_takes_is_refused() {
    let mut named: Vec<&str> = STRICTER.concat();
    for (expression, answer) in answers().filter(|(expression, _)| stricter(expression)) {
        assert_eq!(ours(&expression), REFUSED, "{expression:?}");
        named.retain(|name| *name != expression || answer == REFUSED);
    }
    assert!(named.is_empty(), "need no exception: {named:?}");
}

fn answers() -> impl Iterator<Item = (String, &'static str)> {
    ANSWERS.lines().map(|line| {
        let (expression, answer) = line.split_once('\t').unwrap();
        (expression.replace("\\t", "\t"), answer)
    })
}

fn stricter(expression: &str) -> bool {
    STRICTER.iter().any(|group| group.contains(&expression)) || step_after_name(expression)
}

/// Quartz does not look at the step of `MON-FRI/2`.
fn step_after_name(expression: &str) -> bool {
    let mut items = expression.split([' ', '\t', ',']);
    items.any(|item| {
        item.split_once('/')
            .is_some_and(|(values, _)| values.contains(|c: char| c.is_ascii_alphabetic()))
    })
}

/// The next five fire times, or that there is no such expression.
fn ours(expression: &str) -> String {
    let Ok(schedule) = CronSchedule::parse(expression) else {
        return REFUSED.to_owned();
    };
    let mut after = Timestamp::parse(FROM).unwrap();
    let times = std::iter::from_fn(|| {
        after = schedule.next_after(after)?;
        Some(after.to_string())
    });
    times.take(5).collect::<Vec<_>>().join(" ")
}
