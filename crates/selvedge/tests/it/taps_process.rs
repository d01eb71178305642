//! Taps as the server starts them: through its own binary, which takes rights away from itself first.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge_connector::{ConnectorError, Tap as _, TapContext, TapRead, tap_channel};
use selvedge_singer::{
    Launcher, SingerTap, TapEnvironment, TapHost, TapLimits, TapProgram, TapSettings, TapUser,
    confinement,
};
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::server::ServerProcess;
use selvedge_testkit::wait::wait_until;
use serde_json::{Map, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::platform::settings;

/// Nobody has this number, nor needs to.
const STRANGER: TapUser = TapUser {
    uid: 54_321,
    gid: 54_321,
};
const SELVEDGE: &str = env!("CARGO_BIN_EXE_selvedge");

/// A server's data directory, with a tap that is a script and lies inside of it.
struct Fixture {
    root: TempDir,
    limits: TapLimits,
    user: Option<TapUser>,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["data/taps/env", "data/warehouses", "beside"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        std::fs::write(root.path().join("data/master.key"), "KEY\n").unwrap();
        Self {
            root,
            limits: TapLimits::default(),
            user: None,
        }
    }

    /// A server whose taps run as somebody else: the data directory is closed, runs and programs are beside it.
    fn with_user() -> Self {
        let fixture = Self {
            user: Some(STRANGER),
            ..Self::new()
        };
        let mode = |name: &str, mode| {
            let path = fixture.path().join(name);
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        mode("", 0o711);
        mode("data", 0o700);
        mode("beside", 0o755);
        fixture
    }

    fn path(&self) -> &Path {
        self.root.path()
    }

    /// Runs a script as a tap; it finds the root as `$ROOT`. Returns what came of it, and the log.
    async fn run(&self, script: &str) -> (Result<(), ConnectorError>, Vec<String>) {
        let data = self.path().join("data");
        let (place, forbidden) = match self.user {
            Some(_) => (self.path().join("beside"), Vec::new()),
            None => (data.join("taps"), vec![data.clone()]),
        };
        let environment = place.join("env");
        std::fs::create_dir_all(&environment).unwrap();
        let file = environment.join("tap.sh");
        std::fs::write(&file, script).unwrap();
        let root = ("ROOT".into(), self.path().into());
        let host = TapHost {
            launcher: Launcher::new(SELVEDGE.into(), &["tap-launch"]),
            user: self.user,
            directory: place.join("runs"),
            forbidden,
            environment: TapEnvironment::pick(
                std::env::vars_os().chain([root]),
                &["ROOT".to_owned()],
            ),
            private_home: true,
        };
        let settings = TapSettings {
            program: TapProgram {
                program: "sh".into(),
                arguments: vec![file.to_str().unwrap().to_owned()],
                // The second one holds the data directory too, which it does not open.
                directories: vec![environment, self.path().to_owned()],
                takes_properties: false,
            },
            config: Map::new(),
            secrets: Vec::new(),
            mutable: Vec::new(),
            store: None,
            limits: self.limits.clone(),
        };
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        let context = TapContext {
            clock: Arc::new(FakeClock::at("2031-02-03T00:00:00Z")),
            stop: CancellationToken::new(),
            batch_bytes: 1 << 20,
            log: Arc::new(move |_, text: &str| lines.lock().unwrap().push(text.to_owned())),
        };
        let read = TapRead {
            document: json!({"streams": []}),
            selected: Vec::new(),
            state: None,
        };
        let (sender, _receiver) = tap_channel(16);
        let result = SingerTap::new(host, settings)
            .read(context, read, sender)
            .await;
        let lines = log.lock().unwrap().clone();
        (result, lines)
    }

    /// What a script that must end well says.
    async fn said(&self, script: &str) -> Vec<String> {
        let (result, lines) = self.run(script).await;
        assert!(result.is_ok(), "{result:?} {lines:?}");
        lines
    }

    async fn error(&self, script: &str) -> ConnectorError {
        self.run(script).await.0.unwrap_err()
    }
}

#[tokio::test]
async fn a_tap_gets_into_its_own_directories_only() {
    let fixture = Fixture::new();
    std::fs::create_dir_all(fixture.path().join("data/taps/runs/run-other")).unwrap();
    std::os::unix::fs::symlink(
        fixture.path().join("data"),
        fixture.path().join("beside/link"),
    )
    .unwrap();
    // Each line names what was possible.
    let said = fixture
        .said(
            r#"
            exec >&2
            cd "$ROOT/data/taps" && cd - >/dev/null || true
            [ -n "$(cat "$2")" ] && echo "own configuration"
            echo x > "$HOME/x" && mv "$HOME/x" "$TMPDIR/x" && echo "own files"
            echo x > "$ROOT/beside/x" && echo "files beside"
            cat "$ROOT/data/taps/env/tap.sh" >/dev/null && echo "own program"
            head -c 1 /proc/self/stat >/dev/null && echo "own process"
            for try in \
                'cat "$ROOT/data/master.key"' 'cat "$ROOT/beside/link/master.key"' 'ls "$ROOT/data"' \
                'ls "$ROOT/data/taps/runs/run-other"' 'ls "$ROOT/data/taps/runs"' \
                ': > "$ROOT/data/warehouses/x"' ': > "$ROOT/data/taps/env/x"' \
                'cat "/proc/$PPID/environ"' 'kill -0 $PPID'
            do (eval "$try") >/dev/null 2>&1 && echo "possible: $try"; done
            true
            "#,
        )
        .await;
    let own = [
        "own configuration",
        "own files",
        "files beside",
        "own program",
        "own process",
    ];
    assert_eq!(&said[..own.len().min(said.len())], own, "{said:?}");
    // What this machine guarantees is what happens on it.
    let (possible, guaranteed) = (&said[own.len()..], confinement());
    let signals = |line: &&String| line.contains("kill -0");
    assert_eq!(
        possible.iter().filter(signals).count(),
        usize::from(!guaranteed.signals),
        "{possible:?}"
    );
    let files = possible.iter().filter(|line| !signals(line)).count();
    assert_eq!(files == 0, guaranteed.files, "{possible:?}");
}

/// By the rights of files alone: nothing is forbidden to it by Landlock but the runs of others.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tap_of_a_root_server_can_run_as_another_user() {
    let fixture = Fixture::with_user();
    let script = r#"
        exec >&2
        echo "$(id -u) $(id -g) $(id -G)"
        stat -c '%a %u' "$2" "$HOME" "$TMPDIR" "$HOME/.."
        echo '{"token": "new"}' > "$2" && echo x > "$HOME/x" && echo "own files"
        for try in \
            'cat "$ROOT/data/master.key"' 'ls "$ROOT/data"' 'cat "$ROOT/data/warehouses/x"' ': > "$ROOT/beside/x"' \
            ': > "$ROOT/beside/env/tap.sh"' 'ls "$ROOT/beside/runs"' 'cat "/proc/$PPID/environ"' 'kill -0 $PPID'
        do (eval "$try") >/dev/null 2>&1 && echo "possible: $try"; done
        grep -E '^(CapEff|CapPrm|CapAmb):' /proc/self/status | cut -f2 | sort -u
        "#;
    if !rustix::process::geteuid().is_root() {
        // Its files cannot be given away.
        let error = fixture.error(script).await;
        assert!(error.message.contains("private files"), "{error:?}");
        return;
    }
    std::fs::write(fixture.path().join("data/warehouses/x"), "x").unwrap();
    let (uid, gid) = (STRANGER.uid, STRANGER.gid);
    let said = fixture.said(script).await;
    let expected = [
        format!("{uid} {gid} {gid}"),
        format!("600 {uid}"),
        format!("700 {uid}"),
        format!("700 {uid}"),
        format!("700 {uid}"),
        "own files".to_owned(),
        "0000000000000000".to_owned(),
    ];
    assert_eq!(said, expected);
    // Nothing of it is left, though it is not ours.
    let left = std::fs::read_dir(fixture.path().join("beside/runs")).unwrap();
    assert_eq!(left.count(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tap_of_another_user_dies_with_the_server_too() {
    let user = STRANGER.to_string();
    if !rustix::process::geteuid().is_root() {
        let parent = std::process::id().to_string();
        let output = Command::new(SELVEDGE)
            .args([
                "tap-launch",
                "--parent",
                &parent,
                "--user",
                &user,
                "--",
                "echo",
                "started",
            ])
            .output()
            .unwrap();
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("could not become another user"), "{said}");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    let (mut server, tap) = server_with_tap(directory.path(), &["--user", &user]).await;
    let owner = std::fs::metadata(format!("/proc/{tap}")).unwrap().uid();
    assert_eq!(owner, STRANGER.uid);
    server.kill().unwrap();
    server.wait().unwrap();
    wait_until("the end of the tap", Duration::from_secs(30), async || {
        if runs(tap) { Err("it runs") } else { Ok(()) }
    })
    .await;
}

#[tokio::test]
async fn a_tap_that_takes_too_much_memory_is_told_so() {
    let mut fixture = Fixture::new();
    fixture.limits.memory = Some(64 << 20);
    let (result, log) = fixture.run(r#"exec tail -n 1 < /dev/zero"#).await;
    let error = result.unwrap_err();
    assert!(
        error.message.contains("64 MiB of memory, its limit"),
        "{error:?} {log:?}"
    );
}

#[tokio::test]
async fn a_tap_that_writes_too_much_is_told_so() {
    let mut fixture = Fixture::new();
    fixture.limits.file_size = Some(1 << 20);
    let error = fixture
        .error(r#"exec head -c 2000000 /dev/zero > "$HOME/file""#)
        .await;
    assert_eq!(
        error.message,
        "the tap wrote a file of more than 1 MiB, its limit"
    );
}

#[tokio::test]
async fn a_tap_that_computes_too_long_is_told_so() {
    let mut fixture = Fixture::new();
    fixture.limits.processor = Some(Duration::from_secs(1));
    let error = fixture.error("while :; do :; done").await;
    assert_eq!(
        error.message,
        "the tap used more than 1 second of processor time, its limit"
    );
}

#[tokio::test]
async fn limits_are_those_of_the_tap_and_leave_no_core_dumps() {
    let mut fixture = Fixture::new();
    fixture.limits.open_files = Some(100);
    let said = fixture.said("ulimit -n >&2; ulimit -c >&2").await;
    assert_eq!(said, ["100", "0"]);
}

/// A process that starts a tap and waits for it, as the server does.
async fn server_with_tap(directory: &Path, options: &[&str]) -> (std::process::Child, i32) {
    let file = directory.join("id");
    let script = r#"
        file="$1"
        shift
        "$0" tap-launch --parent $$ "$@" -- sh -c 'echo $$ > "$1"; exec sleep 600' - "$file" &
        wait"#;
    let server = Command::new("sh")
        .args(["-c", script])
        .args([Path::new(SELVEDGE), &file])
        .args(options)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let tap = wait_until("the tap", Duration::from_secs(30), async || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.trim().parse::<i32>()
    })
    .await;
    (server, tap)
}

fn runs(process: i32) -> bool {
    // A zombie waits for whoever inherited it, and runs no more.
    std::fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_tap_dies_with_a_server_that_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (mut server, tap) = server_with_tap(directory.path(), &[]).await;
    assert!(runs(tap));
    server.kill().unwrap();
    server.wait().unwrap();
    wait_until("the end of the tap", Duration::from_secs(30), async || {
        if runs(tap) { Err("it runs") } else { Ok(()) }
    })
    .await;
}

#[test]
fn a_tap_is_not_started_for_a_server_that_is_gone() {
    let output = Command::new(SELVEDGE)
        .args(["tap-launch", "--parent", "1", "--", "echo", "started"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(126));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "CRITICAL the server that started this tap has ended\n"
    );
}

#[test]
fn a_program_that_cannot_be_started_is_named() {
    let parent = std::process::id().to_string();
    let output = Command::new(SELVEDGE)
        .args(["tap-launch", "--parent", &parent, "--", "/no/such/tap"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(127));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("CRITICAL the tap's program /no/such/tap could not be started"),
        "{said}"
    );
}

/// Without Landlock too, and also where the server is root.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tap_does_not_see_the_servers_environment() {
    let mark = format!("mark-of-{}", std::process::id());
    let (name, parent) = ("SELVEDGE_TEST_MARK", std::process::id().to_string());
    let _server = ServerProcess::start(settings().environment(name, &mark)).await;
    let launch = ["tap-launch", "--parent", &parent, "--"];
    let mut other = Command::new(SELVEDGE)
        .args(launch)
        .args(["sleep", "600"])
        .env(name, &mark)
        .spawn()
        .unwrap();
    let what = format!("/proc/{}/comm", other.id());
    wait_until("another tap", Duration::from_secs(30), async || {
        let name = std::fs::read_to_string(&what).unwrap_or_default();
        if name == "sleep\n" { Ok(()) } else { Err(name) }
    })
    .await;
    let search = r#"grep -las "$1" /proc/[0-9]*/environ"#;
    let output = Command::new(SELVEDGE)
        .args(launch)
        .args(["sh", "-c", search, "-", &mark])
        .output()
        .unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let expected = format!("/proc/{}/environ\n", other.id());
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(found, expected);
}
