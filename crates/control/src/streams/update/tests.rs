use serde_json::json;

use super::*;
use crate::streams::metadata::tests::orders;

fn known() -> HashMap<String, StreamMetadata> {
    HashMap::from([("shop-public-orders".to_owned(), orders())])
}

fn update(body: Value) -> Result<MetadataUpdate, ControlError> {
    MetadataUpdate::from_body(body.as_object())
}

/// The refusal of one stream's entries, as text.
fn refusal(entries: Value) -> String {
    let body = json!({"streams": [{"tap_stream_id": "shop-public-orders", "metadata": entries}]});
    let mut known = known();
    let before = known.clone();
    let error = update(body).unwrap().apply(&mut known).unwrap_err();
    assert_eq!(known, before, "a refused update changes nothing");
    format!("{error:?}")
}

#[test]
fn anything_but_the_documented_shape_is_malformed() {
    for body in [
        json!({}),
        json!({"streams": null}),
        json!({"streams": {}}),
        json!({"streams": [1]}),
        json!({"streams": [{}]}),
        json!({"streams": [{"tap_stream_id": "a"}]}),
        json!({"streams": [{"tap_stream_id": "a", "metadata": {}}]}),
        json!({"streams": [{"tap_stream_id": "a", "metadata": [{"selected": true}]}]}),
        json!({"streams": [{"tap_stream_id": "a", "metadata": [{"breadcrumb": [], "metadata": []}]}]}),
        json!({"streams": [{"tap_stream_id": "a", "metadata": [{"breadcrumb": [1], "metadata": {}}]}]}),
        json!({"streams": [{"tap_stream_id": "a", "metadata": [{"breadcrumb": "", "metadata": {}}]}]}),
        json!({"streams": [{"tap_stream_id": "a", "metadata": [{"metadata": {}}]}]}),
    ] {
        assert!(
            matches!(update(body.clone()), Err(ControlError::MalformedMetadata)),
            "{body}"
        );
    }
    assert!(matches!(
        MetadataUpdate::from_body(None),
        Err(ControlError::MalformedMetadata)
    ));
}

#[test]
fn unknown_streams_are_all_named_once_in_order() {
    let body = json!({"streams": [
        {"metadata": []},
        {"tap_stream_id": "b", "metadata": []},
        {"tap_stream_id": "shop-public-orders", "metadata": [{"breadcrumb": ["x"], "metadata": {}}]},
        {"tap_stream_id": null, "metadata": []},
        {"tap_stream_id": "b", "metadata": []},
    ]});
    match update(body).unwrap().apply(&mut known()) {
        Err(ControlError::UnknownTapStreams(ids)) => assert_eq!(ids, [None, Some("b".to_owned())]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_rule_after_the_other_decides_which_mistake_is_named() {
    let unsupported =
        json!({"breadcrumb": ["properties", "shape"], "metadata": {"selected": true}});
    let wrong_value = json!({"breadcrumb": [], "metadata": {"replication-method": "SOMETIMES"}});
    let read_only =
        json!({"breadcrumb": [], "metadata": {"sql-datatype": "x", "inclusion": "available"}});
    let unlisted = json!({"breadcrumb": ["properties", "nope"], "metadata": {"selected": true}});
    assert_eq!(refusal(json!([unsupported])), "UnsupportedFieldSelected");
    assert_eq!(
        refusal(json!([unsupported, wrong_value])),
        r#"InvalidMetadataValue("replication-method")"#
    );
    assert_eq!(
        refusal(json!([unsupported, wrong_value, read_only, read_only])),
        r#"ReadOnlyMetadata(["sql-datatype", "inclusion"])"#
    );
    assert_eq!(
        refusal(json!([unsupported, wrong_value, read_only, unlisted])),
        r#"UnknownBreadcrumb(["properties", "nope"])"#
    );
}

#[test]
fn values_have_the_types_of_their_keys() {
    for (key, value) in [
        ("selected", json!("true")),
        ("replication-method", json!("full_table")),
        ("replication-key", json!(["id"])),
        ("view-key-properties", json!("id")),
        ("view-key-properties", json!([1])),
    ] {
        let shown = refusal(json!([{"breadcrumb": [], "metadata": {key: value}}]));
        assert_eq!(shown, format!("InvalidMetadataValue({key:?})"));
    }
}

#[test]
fn a_good_update_is_applied_in_order_and_null_clears() {
    let body = json!({"streams": [
        {"tap_stream_id": "shop-public-orders", "metadata": [
            {"breadcrumb": [], "metadata": {"selected": true, "replication-method": "LOG_BASED"}},
            {"breadcrumb": ["properties", "shape"], "metadata": {"selected": false}},
        ]},
        {"tap_stream_id": "shop-public-orders", "metadata": [
            {"breadcrumb": [], "metadata": {"replication-method": null, "replication-key": "note"}},
        ]},
    ]});
    let mut known = known();
    let touched = update(body).unwrap().apply(&mut known).unwrap();
    assert_eq!(touched, ["shop-public-orders"]);
    let chosen = serde_json::to_value(&known["shop-public-orders"].chosen).unwrap();
    assert_eq!(
        chosen,
        json!([
            {"breadcrumb": [], "metadata": {"selected": true, "replication-key": "note"}},
            {"breadcrumb": ["properties", "shape"], "metadata": {"selected": false}},
        ])
    );
}
