//! A headless Chromium that looks at the site as a reader does.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::site::site;

/// Name the programs; `cargo xtask test` finds or installs them.
const BROWSER_VARIABLE: &str = "SELVEDGE_TEST_CHROMIUM";
const DRIVER_VARIABLE: &str = "SELVEDGE_TEST_CHROMEDRIVER";

/// The driver's process. The browser ends with it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already, and nobody is left to be told.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A browser at a site of its own.
pub(crate) struct Browser {
    pub(crate) client: Client,
    /// Where the site is, without a slash at the end.
    pub(crate) base: String,
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// # Panics
    /// When the programs are missing: a test that needs a browser fails loudly instead of passing untested.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, site()).into_future());

        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = start_driver();
        let capabilities = json!({
            "goog:chromeOptions": {
                "binary": program(BROWSER_VARIABLE),
                "args": arguments(&profile),
            }
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Self {
            client,
            base,
            _driver: driver,
            _profile: profile,
        }
    }

    /// What a script in the page returns.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    pub(crate) async fn find(&self, selector: &str) -> fantoccini::elements::Element {
        self.client
            .find(Locator::Css(selector))
            .await
            .unwrap_or_else(|error| panic!("{selector}: {error}"))
    }
}

fn program(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: run the tests with `cargo xtask test`, or name the programs of Chromium and its \
             driver in {BROWSER_VARIABLE} and {DRIVER_VARIABLE}"
        )
    })
}

fn start_driver() -> (Driver, u16) {
    let mut driver = Driver(
        Command::new(program(DRIVER_VARIABLE))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts"),
    );
    let output = BufReader::new(driver.0.stdout.take().expect("its output is piped"));
    let port = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse().ok()
        })
        .expect("the driver says where it listens");
    (driver, port)
}

fn arguments(profile: &TempDir) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    // Chromium refuses to sandbox what root runs. The profile was made by whoever we are.
    if std::fs::metadata(profile.path()).unwrap().uid() == 0 {
        arguments.push("--no-sandbox".to_owned());
    }
    arguments
}
