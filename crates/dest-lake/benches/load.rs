//! Loading prepared batches into files of each format, against a copy of the same bytes that is synced to the disk; into a
//! bucket where `SELVEDGE_TEST_S3_URL` names a server, against one plain upload of them. `cargo xtask bench load` provides a
//! server, which is an emulator: that line is for how much of our own the way to a bucket takes.

use std::fs::File;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use selvedge_connector::{ConnectionConfig, Destination};
use selvedge_dest_lake::LakeDestination;
use selvedge_testkit::bulk::{Bench, Contender};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The emulator looks at who asks, not at the signature.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=bench/20310203/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

fn config(properties: Value) -> ConnectionConfig {
    let Value::Object(properties) = properties else {
        unreachable!("settings are an object")
    };
    ConnectionConfig::new(properties)
}

/// All files below a folder but the commit marks, with their sizes.
fn files(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let entry = entry.expect("an entry");
            let metadata = entry.metadata().expect("of an entry");
            match metadata.is_dir() {
                true if entry.file_name() == "_sdc_selvedge_commits" => {}
                true => folders.push(entry.path()),
                false => found.push((entry.path(), metadata.len())),
            }
        }
    }
    found
}

/// A directory of this machine.
struct Directory {
    folder: TempDir,
    destination: LakeDestination,
}

impl Directory {
    fn new(format: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = config(json!({ "format": format }));
        let destination = LakeDestination::local_files(&config, folder.path().join("ours"));
        Self {
            destination: destination.expect("settings are complete"),
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[async_trait]
impl Contender for Directory {
    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn schema_name(&self) -> String {
        "shop".to_owned()
    }

    async fn start_over(&mut self) {
        for name in ["ours", "theirs"] {
            if self.path(name).exists() {
                std::fs::remove_dir_all(self.path(name)).expect("an empty folder");
            }
        }
        std::fs::create_dir(self.path("theirs")).expect("a folder");
    }

    /// What we wrote is the file.
    async fn unload(&mut self) -> u64 {
        files(&self.path("ours")).iter().map(|(_, size)| size).sum()
    }

    async fn bulk_load(&mut self, _key: &[&str]) {
        let theirs = self.path("theirs");
        for (place, (path, _)) in files(&self.path("ours")).iter().enumerate() {
            let mut from = File::open(path).expect("our file");
            let mut to = File::create(theirs.join(place.to_string())).expect("a file");
            std::io::copy(&mut from, &mut to).expect("room on the disk");
            to.sync_all().expect("room on the disk");
        }
        let folder = File::open(theirs).expect("the folder");
        folder.sync_all().expect("room on the disk");
    }

    async fn check(&mut self, _rows: u64) {
        let sizes = |name: &str| {
            let mut sizes: Vec<u64> = files(&self.path(name))
                .iter()
                .map(|(_, size)| *size)
                .collect();
            sizes.sort_unstable();
            sizes
        };
        assert!(!sizes("ours").is_empty());
        assert_eq!(sizes("ours"), sizes("theirs"));
    }
}

/// A bucket of its own for each round.
struct Bucket {
    url: String,
    name: String,
    round: usize,
    format: &'static str,
    spool: TempDir,
    http: reqwest::Client,
    destination: LakeDestination,
    object: Vec<u8>,
}

impl Bucket {
    fn new(url: &str, format: &'static str) -> Self {
        let spool = tempfile::tempdir().expect("a temporary folder");
        let mut bucket = Self {
            url: url.trim_end_matches('/').to_owned(),
            name: String::new(),
            round: 0,
            format,
            destination: Self::destination(url, "unused", format, spool.path()),
            spool,
            http: reqwest::Client::new(),
            object: Vec::new(),
        };
        bucket.rename();
        bucket
    }

    fn destination(url: &str, name: &str, format: &str, spool: &Path) -> LakeDestination {
        let config = config(json!({
            "s3_bucket": name, "endpoint": url, "access_key_id": "bench", "secret_access_key": "secret",
            "output_file_format": format, "sentinel_key": "stitch-challenge-file-1",
        }));
        LakeDestination::s3(&config, spool.to_owned()).expect("settings are complete")
    }

    fn rename(&mut self) {
        self.round += 1;
        self.name = format!(
            "bench-{}-{}-{}",
            std::process::id(),
            self.format,
            self.round
        );
        self.destination = Self::destination(&self.url, &self.name, self.format, self.spool.path());
    }

    async fn put(&self, key: &str, content: Vec<u8>) {
        let url = format!("{}/{}/{key}", self.url, self.name);
        let request = self.http.put(url).header("Authorization", SIGNED);
        let answer = request.body(content).send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    async fn get(&self, key: &str) -> Vec<u8> {
        let url = format!("{}/{}/{key}", self.url, self.name);
        let request = self.http.get(url).header("Authorization", SIGNED);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.bytes().await.expect("a body").into()
    }
}

#[async_trait]
impl Contender for Bucket {
    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn schema_name(&self) -> String {
        "shop".to_owned()
    }

    async fn start_over(&mut self) {
        self.rename();
        self.put("", Vec::new()).await;
    }

    async fn unload(&mut self) -> u64 {
        let listing = self.get("?list-type=2&prefix=shop/orders/").await;
        let listing = String::from_utf8_lossy(&listing).into_owned();
        let key = listing.split("<Key>").nth(1).expect("our object");
        let key = key.split("</Key>").next().expect("a whole key");
        self.object = self.get(key).await;
        self.object.len() as u64
    }

    async fn bulk_load(&mut self, _key: &[&str]) {
        self.put("theirs", self.object.clone()).await;
    }

    async fn check(&mut self, rows: u64) {
        let theirs = self.get("theirs").await;
        assert!(theirs == self.object);
        let lines = theirs.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(lines, rows);
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = Bench::start("Files", "synced copy");
    runtime.block_on(async {
        for format in ["jsonl", "csv", "parquet"] {
            let mut directory = Directory::new(format);
            bench.contest(format, &["id"], &mut directory).await;
        }
        if let Ok(url) = std::env::var("SELVEDGE_TEST_S3_URL") {
            selvedge_net::tls::install_provider();
            let mut bucket = Bucket::new(&url, "jsonl");
            bench.contest("jsonl, S3", &["id"], &mut bucket).await;
        }
    });
}
