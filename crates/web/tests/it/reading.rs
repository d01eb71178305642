//! A reader looks for a connection, follows it to its object, and takes the sample along.

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::site::reference;

const SHOWN: &str = "return [...document.querySelectorAll('#connections tbody tr:not(.nothing)')]
    .filter((row) => row.checkVisibility()).map((row) => row.cells[0].textContent)";
const NOTHING_SHOWN: &str = "return document.querySelector('.nothing').checkVisibility()";
const COUNT: &str = "return document.getElementById('count').textContent";

#[tokio::test]
async fn a_reader_finds_a_connection_and_copies_its_sample() {
    let browser = Browser::start().await;
    let (client, reference) = (&browser.client, reference());
    let all = reference.connections().len();
    client
        .goto(&format!("{}/reference/connections", browser.base))
        .await
        .unwrap();
    assert_eq!(browser.ask(SHOWN).await.as_array().unwrap().len(), all);
    assert_eq!(browser.ask(NOTHING_SHOWN).await, json!(false));

    // Search: while typing, in the address, and told to those who cannot see the table.
    let search = browser.find("#q").await;
    search.send_keys("sHopify").await.unwrap();
    assert_eq!(browser.ask(SHOWN).await, json!(["Shopify (v3)"]));
    assert_eq!(
        browser.ask(COUNT).await,
        json!(format!("1 of {all} connections"))
    );
    assert_eq!(
        client.current_url().await.unwrap().query(),
        Some("q=sHopify")
    );
    client.refresh().await.unwrap();
    assert_eq!(
        browser.ask(SHOWN).await,
        json!(["Shopify (v3)"]),
        "the address says what was looked for"
    );
    let search = browser.find("#q").await;
    search.send_keys(" nowhere").await.unwrap();
    assert_eq!(browser.ask(SHOWN).await, json!([]));
    assert_eq!(browser.ask(NOTHING_SHOWN).await, json!(true));
    browser.find(".nothing a").await.click().await.unwrap();
    assert_eq!(browser.ask(SHOWN).await.as_array().unwrap().len(), all);
    assert_eq!(
        browser.ask("return document.activeElement.id").await,
        json!("q"),
        "and typing goes on"
    );

    // Filters, with the keyboard alone: the next field holds the types.
    let active = client.active_element().await.unwrap();
    active.send_keys(&Key::Tab.to_string()).await.unwrap();
    let active = client.active_element().await.unwrap();
    active.send_keys("D").await.unwrap();
    let destinations: Vec<_> = reference
        .connections()
        .iter()
        .filter(|c| c.connection_type == selvedge_catalog::ConnectionKind::Destination)
        .map(|connection| connection.title())
        .collect();
    assert_eq!(browser.ask(SHOWN).await, json!(destinations));
    browser
        .find("#support")
        .await
        .select_by_value("runs")
        .await
        .unwrap();
    let shown = browser.ask(SHOWN).await;
    let running: Vec<_> = destinations
        .iter()
        .filter(|title| title.contains("Postgre"))
        .collect();
    assert!(
        running
            .iter()
            .any(|title| shown.as_array().unwrap().contains(&json!(title))),
        "{shown}"
    );
    assert!(shown.as_array().unwrap().len() < destinations.len());

    // To the object.
    let property = "postgres";
    let link = format!("#connections tr:not([hidden]) a[href$='#{property}']");
    browser.find(&link).await.click().await.unwrap();
    assert_eq!(
        client.current_url().await.unwrap().fragment(),
        Some(property)
    );
    let on_screen = format!(
        "const box = document.getElementById('{property}').getBoundingClientRect();
         return box.top >= 0 && box.bottom <= innerHeight"
    );
    assert_eq!(browser.ask(&on_screen).await, json!(true));

    // The sample, into the clipboard and out of it again.
    let sample = format!("section[aria-labelledby='{property}'] .sample");
    browser
        .find(&format!("{sample} .copy"))
        .await
        .click()
        .await
        .unwrap();
    let copied = "//section[@aria-labelledby='postgres']//button[.='Copied']";
    client
        .wait()
        .for_element(Locator::XPath(copied))
        .await
        .expect("the button says that it was copied");
    browser
        .ask("document.body.append(Object.assign(document.createElement('textarea'), { id: 'pasted' }))")
        .await;
    let paste = Key::Control + "v";
    browser
        .find("#pasted")
        .await
        .send_keys(&paste)
        .await
        .unwrap();
    let pasted = browser
        .ask("return document.getElementById('pasted').value")
        .await;
    let pasted: Value = serde_json::from_str(pasted.as_str().unwrap()).unwrap();
    assert_eq!(
        pasted,
        reference
            .object(property)
            .unwrap()
            .sample
            .as_ref()
            .unwrap()
            .body
    );
    browser.client.clone().close().await.unwrap();
}
