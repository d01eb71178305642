//! Texts of Transit and the JSON they become.

use selvedge_json::TOO_DEEP;
use serde::Deserialize;

use super::*;

/// What another implementation wrote.
#[derive(Deserialize)]
struct Sample {
    name: String,
    transit: String,
    json: String,
}

#[test]
fn what_other_implementations_write_is_understood() {
    let javascript = include_str!("../../fixtures/transit/js.jsonl");
    let python = include_str!("../../fixtures/transit/python.jsonl");
    for line in javascript.lines().chain(python.lines()) {
        let sample: Sample = serde_json::from_str(line).unwrap();
        assert_eq!(json(&sample.transit), sample.json, "{}", sample.name);
    }
}

fn json(text: &str) -> String {
    to_json(text, 1 << 20).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

#[test]
fn maps_come_as_arrays_with_a_mark_or_as_objects() {
    for (text, expected) in [
        ("[]", "[]"),
        ("{}", "{}"),
        (r#"["^ "]"#, "{}"),
        (
            r#"[ ["^ ", "~:client_id", 4821, "~:data", ["^ ", "at", "~t2023-11-14T22:13:20.000Z"]] ]"#,
            r#"[{"client_id":4821,"data":{"at":"~t2023-11-14T22:13:20.000000Z"}}]"#,
        ),
        (
            r#"[{"~:client_id": 4821, "data": {"a": "~m1700000000000", "~i5": "~f1.50"}}]"#,
            r#"[{"client_id":4821,"data":{"a":"~t2023-11-14T22:13:20.000000Z","5":"~f1.50"}}]"#,
        ),
        (
            r#"["^ ", "~~a", "~~b", "~^c", "~^d", "say \"hi\"\n", "\u007e:key\t"]"#,
            r#"{"~a":"~~b","^c":"^d","say \"hi\"\n":"key\t"}"#,
        ),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn tags_say_what_the_value_behind_them_is() {
    for (text, expected) in [
        (r#"["~#list",[1,"~:a",[2]]]"#, r#"[1,"a",[2]]"#),
        (r#"["~#set",[]]"#, "[]"),
        (r#"{"~#set":["a"]}"#, r#"["a"]"#),
        (r#"["~#'",5]"#, "5"),
        (
            r#"{"~#'":"~n9223372036854775808"}"#,
            r#""~n9223372036854775808""#,
        ),
        (r#"["~#'","~i9223372036854775807"]"#, "9223372036854775807"),
        (
            r#"["~#cmap",[["^ ","a",1],"x","~i7",null,["~#list",["~t2023-11-14T22:13:20Z","~f1.50"]],true,"~:kw",2]]"#,
            r#"{"{\"a\":1}":"x","7":null,"[\"2023-11-14T22:13:20.000000Z\",1.50]":true,"kw":2}"#,
        ),
        (r#"{"~#cmap":[]}"#, "{}"),
        (r#"[["~#list",[1]],["^0",[2]]]"#, "[[1],[2]]"),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn codes_stand_for_what_came_before() {
    for (text, expected) in [
        (
            r#"[["^ ","~:name","~:blue","long key",1],["^ ","^0","^1","^2",2]]"#,
            r#"[{"name":"blue","long key":1},{"name":"blue","long key":2}]"#,
        ),
        (
            r#"[{"name":1,"abc":2},["^ ","^0",3],"name","^0"]"#,
            r#"[{"name":1,"abc":2},{"name":3},"name","name"]"#,
        ),
        (
            r#"["~#cmap",["name",1,"~:name",2]]"#,
            r#"{"name":1,"name":2}"#,
        ),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_transit_is_told() {
    for (text, expected) in [
        (r#"["~#ratio",[1,2]]"#, "unknown Transit tag [ratio]"),
        (r#"{"~#point":{"x":1}}"#, "unknown Transit tag [point]"),
        (r#"["~xyz"]"#, "unknown Transit tag [x]"),
        (r#"["a","~#list"]"#, "unknown Transit tag [list]"),
        (r#"["^0"]"#, "unknown Transit cache code [^0]"),
        (r#"["~iten"]"#, "not a value of its Transit type: [~iten]"),
        (r#"["^ ","a"]"#, "a map has a key without a value at byte 9"),
        (r#"["~#list"]"#, "a tag has no value at byte 9"),
        (r#"["~#list",[1],2]"#, "a tag has several values at byte 13"),
        (
            r#"{"~#list":[1],"a":2}"#,
            "a tag has several values at byte 13",
        ),
        (r#"["~#list",5]"#, "an array was expected at byte 10"),
        (
            r#"["~#cmap",["a"]]"#,
            "a map has a key without a value at byte 14",
        ),
        (
            r#"["~#list",["^ ","a",1]]"#,
            "the mark of a map stands where a value was expected at byte 15",
        ),
        ("[NaN]", "a value was expected at byte 1"),
        (
            "[1",
            "a comma or the end of the list was expected at byte 2",
        ),
        ("[1]]", "unexpected text behind the value at byte 3"),
        ("", "a value was expected at byte 0"),
        (r#"["\ud800"]"#, "half of a surrogate pair stands alone"),
    ] {
        assert_eq!(
            to_json(text, 1 << 20).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
    for open in [
        "[",
        "{\"a\":",
        "[\"~#'\",",
        "[\"~#list\",[",
        "[\"~#cmap\",[[",
        "[\"^ \",[",
    ] {
        let problem = to_json(&open.repeat(10_000), 1 << 20).unwrap_err();
        assert!(
            problem.to_string().starts_with(TOO_DEEP),
            "{open}: {problem}"
        );
    }
}

#[test]
fn what_comes_out_is_bounded() {
    let long = "x".repeat(10_000);
    let codes = vec!["[\"^ \",\"^0\",1]"; 1_000].join(",");
    let text = format!("[[\"^ \",\"{long}\",1],{codes}]");
    let Err(TransitError::TooLarge(bytes)) = to_json(&text, 1 << 20) else {
        panic!("10 MB came out of {} bytes", text.len());
    };
    assert!(bytes < (1 << 20) + 20_000, "{bytes}");
    let names = format!("{}1{}", "[\"~#cmap\",[".repeat(100), ",1]]".repeat(100));
    assert!(
        to_json(&names, 1 << 20).is_err(),
        "each name doubles the quotes in it"
    );
}
