//! What holds for every page.

use crate::site::get;

const PAGES: [&str; 4] = [
    "/",
    "/docs",
    "/reference/connections",
    "/reference/connections?q=shop",
];

#[tokio::test]
async fn pages_carry_the_brand_and_load_nothing_from_elsewhere() {
    for address in PAGES {
        let page = get(address).await;
        assert_eq!(page.status, 200, "{address}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert!(page.text.contains("Loom &#38; Co"), "{address}");
        for attribute in ["src=\"http", "href=\"http", "url(http", "@import"] {
            assert!(!page.text.contains(attribute), "{address}: {attribute}");
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn the_stylesheet_is_where_pages_look_for_it_and_may_be_kept() {
    let page = get("/").await.text;
    let (_, address) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let (address, _) = address.split_once('"').unwrap();
    let style = get(address).await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    assert!(
        style.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert!(style.text.contains("prefers-color-scheme: dark"));
    assert_eq!(
        get("/assets/icon.svg").await.headers["content-type"],
        "image/svg+xml"
    );
}
