//! The connection property reference, as a page and as data.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::site::{get, reference};

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start)
        .skip(1)
        .filter_map(|rest| rest.split_once(end).map(|(found, _)| found))
        .collect()
}

/// Names of the connections whose rows are shown.
fn shown(page: &str) -> Vec<&str> {
    between(page, "<tr data-kind=", "</tr>")
        .into_iter()
        .filter(|row| !row.split_once('>').unwrap().0.ends_with(" hidden"))
        .map(|row| between(row, "<th scope=\"row\">", "</th>")[0])
        .collect()
}

#[tokio::test]
async fn the_page_has_a_row_for_every_connection() {
    let page = get("/reference/connections").await.text;
    let titles: Vec<_> = reference()
        .connections()
        .iter()
        .map(|connection| connection.title())
        .collect();
    let shown: Vec<_> = shown(&page)
        .into_iter()
        .map(|name| name.replace("&#38;", "&"))
        .collect();
    assert_eq!(shown, titles);
    assert_eq!(page.matches("</span> Unsupported</span>").count(), 21);
    assert!(page.contains("181 connections</p>"), "the count is told");
    assert!(page.contains("<tr class=\"nothing\" hidden>"));
}

#[tokio::test]
async fn every_link_within_the_page_leads_somewhere_and_every_object_is_linked() {
    let page = get("/reference/connections").await.text;
    let anchors: Vec<_> = between(&page, " id=\"", "\"");
    let unique: BTreeSet<_> = anchors.iter().copied().collect();
    assert_eq!(anchors.len(), unique.len(), "anchors are unique");
    let linked: BTreeSet<_> = between(&page, "href=\"#", "\"").into_iter().collect();
    for link in &linked {
        assert!(unique.contains(link), "#{link} leads nowhere");
    }
    for object in reference().objects() {
        assert!(linked.contains(object.property), "{}", object.property);
    }
}

#[tokio::test]
async fn a_search_works_without_a_script() {
    let all = get("/reference/connections").await.text;
    let found = get("/reference/connections?q=Shopify").await.text;
    assert_eq!(shown(&found), ["Shopify (v3)"]);
    assert!(found.contains("value=\"Shopify\"") && found.contains("1 of 181 connections"));
    let found = get("/reference/connections?q=cloudsql+postgres&type=source&support=runs")
        .await
        .text;
    assert!(
        found.contains("<option value=\"runs\" selected>")
            && found.contains("<option value=\"source\" selected>")
    );
    let missing = get("/reference/connections?support=unsupported").await.text;
    assert_eq!(shown(&missing).len(), 21);
    let destinations = get("/reference/connections?type=destination").await.text;
    let count = reference()
        .connections()
        .iter()
        .filter(|connection| {
            connection.connection_type == selvedge_catalog::ConnectionKind::Destination
        })
        .count();
    assert_eq!(shown(&destinations).len(), count);
    for address in ["?q=", "?type=&support=", "?unknown=x"] {
        let page = get(&format!("/reference/connections{address}")).await.text;
        assert_eq!(page, all, "{address}");
    }
}

#[tokio::test]
async fn a_search_brings_the_objects_that_it_finds_and_leads_to_the_others() {
    let all = get("/reference/connections").await.text;
    for (query, objects) in [
        ("q=shopify", &["platform.shopify"][..]),
        ("q=redshift", &["redshift"]),
        ("support=unsupported", &[]),
        ("q=nowhere", &[]),
    ] {
        let page = get(&format!("/reference/connections?{query}")).await.text;
        let sections = between(&page, "<section class=\"object\" aria-labelledby=\"", "\"");
        assert_eq!(sections, objects, "{query}");
        assert!(page.len() < all.len() / 5, "{query}");
        let anchors = between(&page, " id=\"", "\"");
        for link in between(&page, "href=\"#", "\"") {
            assert!(anchors.contains(&link), "{query}: #{link} leads nowhere");
        }
        for object in reference().objects() {
            let elsewhere = format!("href=\"/reference/connections#{}\"", object.property);
            let is_elsewhere = !objects.contains(&object.property);
            assert_eq!(page.contains(&elsewhere), is_elsewhere, "{elsewhere}");
        }
    }
}

#[tokio::test]
async fn nothing_found_is_said_and_what_was_typed_stays_text() {
    let page = get("/reference/connections?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .text;
    assert!(shown(&page).is_empty());
    assert!(page.contains("<tr class=\"nothing\"><td colspan=\"4\">Nothing found."));
    assert!(page.contains("value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;\""));
    assert_eq!(page.matches("<script").count(), 1, "our own");
}

#[tokio::test]
async fn the_policy_allows_the_script_that_the_page_has() {
    let page = get("/reference/connections").await;
    let script = between(&page.text, "<script>", "</script>")[0];
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let hash = {
        use base64::Engine as _;
        use sha2::Digest as _;
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script))
    };
    assert!(
        policy.contains(&format!("script-src 'sha256-{hash}';")),
        "{policy}"
    );
}

#[tokio::test]
async fn the_data_is_what_the_page_shows() {
    let answer = get("/reference/connections.json").await;
    assert_eq!(
        answer.headers["content-type"],
        "application/json;charset=utf-8"
    );
    let data: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
    let page = get("/reference/connections").await.text;
    let titles: Vec<_> = data
        .iter()
        .map(|entry| {
            format!(
                "{} (v{})",
                entry["display_name"].as_str().unwrap(),
                entry["version"].as_str().unwrap()
            )
        })
        .collect();
    let shown: Vec<_> = shown(&page)
        .into_iter()
        .map(|name| name.replace("&#38;", "&"))
        .collect();
    assert_eq!(titles, shown);
    let shopify = data
        .iter()
        .find(|entry| entry["property"] == "platform.shopify")
        .unwrap();
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(shopify),
        [
            "display_name",
            "version",
            "connection_type",
            "property",
            "runs",
            "listed",
            "object"
        ]
    );
    assert_eq!(
        keys(&shopify["object"]),
        [
            "property",
            "display_name",
            "connection_type",
            "category",
            "state",
            "access",
            "replacement",
            "runs",
            "form",
            "oauth",
            "sample",
            "oauth_sample",
        ]
    );
    assert_eq!(
        keys(&shopify["object"]["form"][0]),
        [
            "name",
            "type",
            "required",
            "documented_as_required",
            "credential",
            "read_only",
            "immutable",
            "advanced",
            "internal",
            "property_type",
            "description",
            "enum",
            "accepts",
            "default",
            "example",
            "json_schema",
            "children",
        ]
    );
    assert_eq!(
        keys(&shopify["object"]["sample"]),
        ["method", "path", "body"]
    );
    let unsupported = data
        .iter()
        .find(|entry| entry["property"].is_null())
        .unwrap();
    assert!(unsupported["object"].is_null());
}

#[tokio::test]
async fn every_sample_on_the_page_is_in_the_data() {
    let page = get("/reference/connections").await.text;
    let on_page: Vec<Value> = between(&page, "<code class=\"json\">", "</code>")
        .into_iter()
        .map(|text| {
            let text = text
                .replace("&#34;", "\"")
                .replace("&#60;", "<")
                .replace("&#62;", ">")
                .replace("&#38;", "&");
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
        })
        .collect();
    let samples: Vec<Value> = reference()
        .objects()
        .iter()
        .flat_map(|object| object.samples().map(|(_, sample)| sample.body.clone()))
        .collect();
    assert_eq!(on_page, samples);
    let refused = reference()
        .objects()
        .iter()
        .filter(|o| !o.availability.access)
        .count();
    assert!(refused > 0);
    assert_eq!(page.matches("There is no sample request").count(), refused);
}

#[test]
fn the_markdown_has_every_connection_and_whole_tables() {
    let reference = reference();
    let text = selvedge_web::reference::markdown("https://pipes.example.com", &reference);
    for connection in reference.connections() {
        assert!(
            text.contains(&format!("| {} |", connection.title())),
            "{}",
            connection.title()
        );
    }
    for link in between(&text, "](#", ")") {
        assert!(text.contains(&format!("<a id=\"{link}\"></a>")), "{link}");
    }
    let mut columns = None;
    for line in text.lines() {
        let cells = line
            .starts_with('|')
            .then(|| line.replace(r"\|", "").matches('|').count());
        if let (Some(before), Some(now)) = (columns, cells) {
            assert_eq!(before, now, "{line}");
        }
        columns = cells;
    }
    assert!(text.contains("curl -X POST https://pipes.example.com/v4/sources"));
}
