//! A tap's state: a document of its own, of which one convention is known, `bookmarks.<tap_stream_id>`.

use serde_json::{Map, Value};

const BOOKMARKS: &str = "bookmarks";

/// The state that may be saved after everything before `newest` is durable but for the streams `held`: those keep the bookmark
/// that they have in `saved`. `None` while a state of another form has to be held back whole.
pub(super) fn acknowledged(newest: &Value, saved: Option<&Value>, held: &[&str]) -> Option<Value> {
    if held.is_empty() {
        return Some(newest.clone());
    }
    let mut state = newest.clone();
    let bookmarks = state.get_mut(BOOKMARKS)?.as_object_mut()?;
    for stream in held {
        match saved.and_then(|saved| saved.get(BOOKMARKS)?.get(stream)) {
            Some(bookmark) => {
                bookmarks.insert((*stream).to_owned(), bookmark.clone());
            }
            None => {
                bookmarks.shift_remove(*stream);
            }
        }
    }
    Some(state)
}

/// The state to start with when some streams begin anew: without their bookmarks. `None` when it is of another form, which
/// makes all streams begin anew, or when nothing is left.
pub(super) fn without(state: &Value, streams: &[&str]) -> Option<Value> {
    if streams.is_empty() {
        return Some(state.clone());
    }
    let mut state = state.clone();
    let object = state.as_object_mut()?;
    let bookmarks = object.get_mut(BOOKMARKS)?.as_object_mut()?;
    for stream in streams {
        bookmarks.shift_remove(*stream);
    }
    let is_empty = bookmarks.is_empty();
    if let Some(Value::String(current)) = object.get("currently_syncing")
        && streams.contains(&current.as_str())
    {
        object.insert("currently_syncing".to_owned(), Value::Null);
    }
    let says_more = object
        .keys()
        .any(|key| key != BOOKMARKS && key != "currently_syncing");
    (!is_empty || says_more).then_some(state)
}

/// What changed from one state to the next, a line each: `bookmarks.ads.updated_time = "…"`.
pub(super) fn changes(before: Option<&Value>, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare(&mut String::new(), before, after, &mut lines);
    lines
}

/// Lines about one change of state at most.
const MOST_LINES: usize = 50;

fn compare(path: &mut String, before: Option<&Value>, after: &Value, lines: &mut Vec<String>) {
    if before == Some(after) || lines.len() >= MOST_LINES {
        return;
    }
    let Value::Object(members) = after else {
        lines.push(format!("{path} = {after}"));
        return;
    };
    let nothing = Map::new();
    let earlier = before.and_then(Value::as_object).unwrap_or(&nothing);
    for (name, value) in members {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        compare(path, earlier.get(name), value, lines);
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_that_is_held_keeps_its_saved_bookmark() {
        let saved = json!({"bookmarks": {"a": {"id": 1}}});
        let newest =
            json!({"currently_syncing": "b", "bookmarks": {"a": {"id": 9}, "b": {"id": 5}}});
        assert_eq!(acknowledged(&newest, None, &[]), Some(newest.clone()));
        assert_eq!(
            acknowledged(&newest, Some(&saved), &["a"]),
            Some(json!({"currently_syncing": "b", "bookmarks": {"a": {"id": 1}, "b": {"id": 5}}}))
        );
        assert_eq!(
            acknowledged(&newest, Some(&saved), &["b"]),
            Some(json!({"currently_syncing": "b", "bookmarks": {"a": {"id": 9}}}))
        );
    }

    #[test]
    fn a_state_of_another_form_is_held_whole() {
        let newest = json!({"offset": 7});
        assert_eq!(acknowledged(&newest, None, &["a"]), None);
        assert_eq!(acknowledged(&newest, None, &[]), Some(newest.clone()));
        assert_eq!(without(&newest, &["a"]), None);
        assert_eq!(without(&newest, &[]), Some(newest));
    }

    #[test]
    fn a_stream_that_begins_anew_has_no_bookmark() {
        let state = json!({"currently_syncing": "a", "bookmarks": {"a": 1, "b": 2}});
        assert_eq!(
            without(&state, &["a"]),
            Some(json!({"currently_syncing": null, "bookmarks": {"b": 2}}))
        );
        assert_eq!(without(&state, &["a", "b"]), None);
    }

    #[test]
    fn changes_of_a_state_are_told_by_path() {
        let before = json!({"bookmarks": {"a": {"id": 1, "at": "x"}}});
        let after = json!({"bookmarks": {"a": {"id": 2, "at": "x"}, "b": {}}, "n": [1]});
        assert_eq!(
            changes(Some(&before), &after),
            ["bookmarks.a.id = 2", "n = [1]"]
        );
        assert!(changes(Some(&after), &after).is_empty());
    }
}
