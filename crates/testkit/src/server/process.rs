//! The process: start, address, kill, restart, end.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::server::ApiClient;

const START_DEADLINE: Duration = Duration::from_secs(60);

/// How to start a server.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    binary: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    data_parent: PathBuf,
}

impl ServerSettings {
    /// `binary` is the executable; in the tests of its own crate `env!("CARGO_BIN_EXE_selvedge")`.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            data_parent: std::env::temp_dir(),
        }
    }

    /// A further argument of `selvedge serve`.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A variable for the server and for [`ServerProcess::run`]. Variables of our own whose names start with `SELVEDGE_`
    /// are not handed down.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The folder that the data directory is made in, instead of the one for temporary files.
    pub fn data_parent(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_parent = folder.into();
        self
    }

    fn command(&self, data_dir: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SELVEDGE_") {
                command.env_remove(name);
            }
        }
        command
            .env("SELVEDGE_DATA_DIR", data_dir)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// A server on a free port of the loopback interface, with a data directory of its own. Dropping it kills the process and
/// removes the data.
#[derive(Debug)]
pub struct ServerProcess {
    settings: ServerSettings,
    folder: TempDir,
    child: Child,
    base: String,
    log: Log,
}

/// Everything the process printed, over all its starts.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

impl ServerProcess {
    /// Starts `selvedge serve` and waits until it has named its address.
    ///
    /// # Panics
    /// When it ends before that, or takes too long; the text holds what it printed.
    pub async fn start(settings: ServerSettings) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("selvedge-server-")
            .tempdir_in(&settings.data_parent)
            .expect("there is a folder for the data");
        let log = Log::default();
        let (child, base) = spawn(&settings, folder.path(), &log).await;
        Self {
            settings,
            folder,
            child,
            base,
            log,
        }
    }

    /// `http://127.0.0.1:PORT`; another port after a restart.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A client without a token for the present address.
    pub fn client(&self) -> ApiClient {
        ApiClient::new(&self.base)
    }

    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// What the server printed so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Kills the process as a power cut would (SIGKILL).
    pub async fn kill(&mut self) {
        self.child
            .kill()
            .await
            .expect("a child of ours can be killed");
    }

    /// Starts the server again on the same data; it must have been killed or have ended.
    ///
    /// # Panics
    /// As [`ServerProcess::start`], and when it still runs.
    pub async fn restart(&mut self) {
        let ended = self.child.try_wait().expect("a child of ours has a state");
        assert!(ended.is_some(), "the server still runs");
        (self.child, self.base) = spawn(&self.settings, self.folder.path(), &self.log).await;
    }

    /// Asks the server to stop (SIGTERM) and waits for its end.
    ///
    /// # Panics
    /// When it has not ended by the deadline.
    pub async fn terminate(&mut self, deadline: Duration) -> ExitStatus {
        self.end(Signal::SIGTERM, deadline).await
    }

    /// The same with Ctrl-C (SIGINT).
    pub async fn interrupt(&mut self, deadline: Duration) -> ExitStatus {
        self.end(Signal::SIGINT, deadline).await
    }

    async fn end(&mut self, signal: Signal, deadline: Duration) -> ExitStatus {
        if let Some(id) = self.child.id() {
            let id = i32::try_from(id).expect("process ids are small");
            kill(Pid::from_raw(id), signal).expect("a child of ours can be told to stop");
        }
        match tokio::time::timeout(deadline, self.child.wait()).await {
            Ok(status) => status.expect("a child of ours can be waited for"),
            Err(_) => panic!(
                "the server did not stop within {deadline:?}; it printed:\n{}",
                self.log()
            ),
        }
    }

    /// Bytes of memory that the running process has had in use at most (`VmHWM` of Linux).
    ///
    /// # Panics
    /// When the process has ended.
    pub fn peak_memory(&self) -> u64 {
        let id = self.child.id().expect("the server runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))
            .expect("the state of a child of ours can be read");
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next())
            .and_then(|number| number.parse::<u64>().ok())
            .expect("the state has a peak");
        kibibytes * 1024
    }

    /// Runs another command of the binary on the same data, for example `["partner", "create", "--name", "Acme"]`.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        self.settings
            .command(self.data_dir())
            .args(arguments)
            .output()
            .await
            .expect("the binary can be started")
    }

    /// The same for a command that prints JSON.
    ///
    /// # Panics
    /// When it fails or prints something else.
    pub async fn run_json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments).await;
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "selvedge {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("selvedge {arguments:?} printed {text:?}: {error}"))
    }
}

async fn spawn(settings: &ServerSettings, data_dir: &Path, log: &Log) -> (Child, String) {
    let mut child = settings
        .command(data_dir)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(&settings.arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} did not start: {error}", settings.binary.display()));
    let (found, mut address) = watch::channel(None);
    // The readers end with the process, which closes its ends of the pipes.
    let out = child.stdout.take().expect("standard output is a pipe");
    let errors = child.stderr.take().expect("standard error is a pipe");
    tokio::spawn(follow(out, log.clone(), found.clone()));
    tokio::spawn(follow(errors, log.clone(), found));
    let named = tokio::time::timeout(START_DEADLINE, address.wait_for(Option::is_some)).await;
    match named {
        Ok(Ok(base)) => (child, base.clone().expect("it was waited for")),
        // Both readers are gone: so is the process.
        Ok(Err(_)) => {
            let status = child.wait().await;
            panic!(
                "the server ended without an address ({status:?}); it printed:\n{}",
                log.text()
            )
        }
        Err(_) => panic!(
            "the server named no address within {START_DEADLINE:?}; it printed:\n{}",
            log.text()
        ),
    }
}

/// Keeps what is printed and looks for the address in it.
async fn follow(pipe: impl AsyncRead + Unpin, log: Log, found: watch::Sender<Option<String>>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.append(&line);
        if let Some(base) = address(&line) {
            found.send_if_modified(|known| {
                let first = known.is_none();
                known.get_or_insert(base);
                first
            });
        }
    }
}

/// `http://127.0.0.1:PORT` in a line.
fn address(line: &str) -> Option<String> {
    const PREFIX: &str = "http://127.0.0.1:";
    let (_, rest) = line.split_once(PREFIX)?;
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    let port: u16 = rest[..end].parse().ok()?;
    (port != 0).then(|| format!("{PREFIX}{port}"))
}

impl Log {
    fn append(&self, line: &str) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(line);
        text.push('\n');
    }

    fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_inside_a_line() {
        let expected = Some("http://127.0.0.1:4321".to_owned());
        assert_eq!(address("listening on http://127.0.0.1:4321"), expected);
        assert_eq!(address(r#"{"url":"http://127.0.0.1:4321/x"}"#), expected);
        assert_eq!(address("listening on http://127.0.0.1:0"), None);
        assert_eq!(address("see https://example.com:80"), None);
    }

    fn stand_in() -> ServerSettings {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/server/stand_in.sh");
        ServerSettings::new(script)
    }

    #[tokio::test]
    async fn a_killed_server_starts_again_on_the_same_data() {
        let mut server = ServerProcess::start(stand_in()).await;
        assert_eq!(server.base(), "http://127.0.0.1:1");
        server.kill().await;
        server.restart().await;
        assert_eq!(server.base(), "http://127.0.0.1:2");
        let status = server.terminate(Duration::from_secs(20)).await;
        assert!(!status.success(), "tail dies of the signal");
    }

    #[tokio::test]
    #[should_panic(expected = "no master key")]
    async fn a_server_that_ends_at_once_shows_what_it_printed() {
        ServerProcess::start(stand_in().environment("STAND_IN_FAILS", "yes")).await;
    }
}
