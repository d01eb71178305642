//! The guide.

use crate::site::get;

#[tokio::test]
async fn endpoints_are_drawn_from_the_description() {
    let page = get("/docs").await.text;
    for part in [
        "id=\"update_cloth\"",
        "<span class=\"method\">PUT</span> <code>/v4/cloths/{cloth_id}</code>",
        "<p>Second &#60;words&#62;.</p>",
        "<code>Idempotency-Key</code> <span class=\"quiet\">optional</span>",
        "<code>fringes[].colour</code>",
        "<td>string or null</td>",
        "<p>The cloth is torn</p>",
        "<td>Threads along.</td>",
        "As everywhere: <a href=\"#status-codes\">413</a>",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(
        !page.contains("Unused"),
        "a group without endpoints is shown"
    );
}

#[tokio::test]
async fn the_contents_lead_to_places_that_exist() {
    let page = get("/docs").await.text;
    let mut links = 0;
    for rest in page.split("href=\"#").skip(1) {
        let (anchor, _) = rest.split_once('"').unwrap();
        assert!(
            page.contains(&format!("id=\"{anchor}\"")),
            "#{anchor} leads nowhere"
        );
        links += 1;
    }
    assert!(links > 25, "only {links} links");
}

#[tokio::test]
async fn guides_call_this_server() {
    let page = get("/docs").await.text;
    assert!(page.contains("export SELVEDGE=https://pipes.example.com\n"));
}
