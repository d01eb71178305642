//! The tap's `config.json` while the tap runs: some taps write rotated tokens into it, which must not be lost.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::OFlags;
use selvedge_connector::LogLevel;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::log::TapLog;

/// No settings are as long as this.
const MAX_BYTES: u64 = 16 << 20;

/// A setting that the tap may replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutable {
    /// Its name in the tap's configuration.
    pub config_key: String,
    /// The property that it is kept in.
    pub property: String,
}

/// Looks for new values. Only regular files are read: what the tap puts in their place is no way to files of others.
pub(crate) struct SettingsFile {
    path: PathBuf,
    mutable: Arc<[Mutable]>,
    /// The values that were seen last, by the tap's name.
    values: Map<String, Value>,
    seen: Option<Version>,
    /// All values that differ from those at the start, by property.
    changed: watch::Sender<Map<String, Value>>,
    log: TapLog,
}

/// Tells versions of a file apart without reading them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl SettingsFile {
    /// `config` is what was written into the file.
    pub(crate) fn new(
        path: PathBuf,
        config: &Map<String, Value>,
        mutable: Arc<[Mutable]>,
        log: TapLog,
    ) -> (Self, watch::Receiver<Map<String, Value>>) {
        let (changed, changes) = watch::channel(Map::new());
        let is_mutable = |key: &str| mutable.iter().any(|setting| setting.config_key == key);
        let values = config
            .iter()
            .filter(|(key, _)| is_mutable(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let file = Self {
            path,
            mutable,
            values,
            seen: None,
            changed,
            log,
        };
        (file, changes)
    }

    /// Tells of new values if the file has changed. A file that is being written is looked at again later.
    pub(crate) fn look(&mut self) {
        if self.mutable.is_empty() {
            return;
        }
        let version = std::fs::symlink_metadata(&self.path).map(|metadata| Version::of(&metadata));
        let Ok(version) = version else {
            return;
        };
        if self.seen != Some(version) && self.read().is_ok() {
            self.seen = Some(version);
        }
    }

    /// The tap has ended: what stands there now is all there will be.
    pub(crate) fn look_for_the_last_time(&mut self) {
        if self.mutable.is_empty() {
            return;
        }
        if let Err(error) = self.read() {
            let text = format!(
                "the tap left a configuration file that cannot be read ({error}): a setting that it replaced there is lost"
            );
            self.log.say(LogLevel::Warning, &text);
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut text = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut text)?;
        let config: Map<String, Value> = serde_json::from_slice(&text)?;
        for setting in Arc::clone(&self.mutable).iter() {
            let value = config.get(&setting.config_key);
            if let Some(value) = value.filter(|value| !value.is_null())
                && self.values.get(&setting.config_key) != Some(value)
            {
                self.log.redactor.learn_value(value);
                self.values
                    .insert(setting.config_key.clone(), value.clone());
                self.changed.send_modify(|changed| {
                    changed.insert(setting.property.clone(), value.clone());
                });
            }
        }
        Ok(())
    }
}

impl Version {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;
    use crate::redact::Redactor;

    struct Fixture {
        directory: tempfile::TempDir,
        file: SettingsFile,
        changes: watch::Receiver<Map<String, Value>>,
        redactor: Arc<Redactor>,
        said: Arc<Mutex<Vec<String>>>,
    }

    fn fixture() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let config = json!({"refresh_token": "token-1", "start_date": "2024"});
        let redactor = Arc::new(Redactor::new([]));
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&said);
        let log = TapLog {
            sink: Arc::new(move |_, text: &str| lines.lock().unwrap().push(text.to_owned())),
            redactor: Arc::clone(&redactor),
        };
        let mutable = Mutable {
            config_key: "refresh_token".to_owned(),
            property: "token".to_owned(),
        };
        let path = directory.path().join("config.json");
        let (file, changes) =
            SettingsFile::new(path, config.as_object().unwrap(), Arc::from([mutable]), log);
        let fixture = Fixture {
            directory,
            file,
            changes,
            redactor,
            said,
        };
        fixture.write(&config.to_string());
        fixture
    }

    impl Fixture {
        fn write(&self, text: &str) {
            std::fs::write(self.directory.path().join("config.json"), text).unwrap();
        }

        fn changed(&mut self) -> Value {
            self.file.look();
            Value::Object(self.changes.borrow().clone())
        }
    }

    #[test]
    fn a_replaced_token_is_noticed_and_becomes_a_secret() {
        let mut fixture = fixture();
        assert_eq!(fixture.changed(), json!({}));
        fixture.write(r#"{"refresh_token": "token-2", "start_date": "2025"}"#);
        assert_eq!(fixture.changed(), json!({"token": "token-2"}));
        assert_eq!(fixture.redactor.redact("got token-2"), "got ***");
    }

    #[test]
    fn half_a_file_is_waited_for() {
        let mut fixture = fixture();
        fixture.write(r#"{"refresh_token": "token-2""#);
        assert_eq!(fixture.changed(), json!({}));
        fixture.write(r#"{"refresh_token": "token-2"}"#);
        assert_eq!(fixture.changed(), json!({"token": "token-2"}));
        fixture.write("");
        fixture.file.look_for_the_last_time();
        assert!(fixture.said.lock().unwrap()[0].contains("is lost"));
    }

    #[test]
    fn a_link_is_not_followed() {
        let mut fixture = fixture();
        let other = fixture.directory.path().join("other.json");
        std::fs::write(&other, r#"{"refresh_token": "of somebody else"}"#).unwrap();
        let config = fixture.directory.path().join("config.json");
        std::fs::remove_file(&config).unwrap();
        std::os::unix::fs::symlink(&other, &config).unwrap();
        assert_eq!(fixture.changed(), json!({}));
    }
}
