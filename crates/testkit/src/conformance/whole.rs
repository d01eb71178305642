//! Objects and arrays, in destinations that keep them whole.

use super::{Subject, load, merge, shown};

/// Compact text, members in the order in which they came, numbers with their own digits.
pub async fn objects_and_arrays_stay_as_they_came(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let record = r#"{"id":1,"o":{"z":1.50, "a":{"n":null}},"l":[1,"x",[true],{}],"e":[]}"#;
    load(subject, &target, &[(1, record)]).await;
    assert_eq!(
        shown(subject, &["id", "o", "l"]).await,
        [r#"1|{"z":1.50,"a":{"n":null}}|[1,"x",[true],{}]"#]
    );
}
