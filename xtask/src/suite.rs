//! `cargo xtask test`: the whole suite, with what it needs.

use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::chromium;
use crate::interrupts::Interrupts;
use crate::mariadb::{self, Kind};
use crate::moto;
use crate::postgres::{self, Server};
use crate::python;
use crate::shell_tools;
use crate::taps;
use crate::workspace;

/// Names the server that tests create their databases on; `selvedge-testkit` reads it.
const SERVER_VARIABLE: &str = "SELVEDGE_TEST_POSTGRES_URL";

/// The one crate with tests that need a browser.
const BROWSER_PACKAGE: &str = "selvedge-web";

/// The crates with tests that need a MariaDB server.
const MARIADB_PACKAGES: [&str; 2] = ["selvedge-dest-mysql", "selvedge"];

/// The one of them with tests that need the strict one.
const STRICT_PACKAGE: &str = "selvedge-dest-mysql";

/// The one crate with tests that need buckets.
const BUCKET_PACKAGE: &str = "selvedge-dest-lake";

/// The crates with tests that use Python.
const PYTHON_PACKAGES: [&str; 2] = ["selvedge", "selvedge-taps"];

/// The one crate with tests that run public tools and public Singer taps.
const BINARY_PACKAGE: &str = "selvedge";

/// Nothing here has to survive the machine.
const SETTINGS: [&str; 7] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "wal_level=logical",
    "max_wal_senders=60",
    "max_replication_slots=60",
];

#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask test                               everything
  cargo xtask test -p selvedge-engine            one crate
  cargo xtask test a_killed_run                  tests whose name contains this
  cargo xtask test -E 'test(/kill/)' --no-capture

One private PostgreSQL server is started for the run and stopped at its end, and two of MariaDB where they are needed. The programs are looked for in PATH, in
/usr/lib/postgresql, with pg_config and in /usr/sbin; if they are missing, and we are root or may use sudo without a password, the
package is installed with apt-get. Public clients of the API are driven with Python (3.11 or newer), whose packages are
installed into target/python the first time, and the guides with curl and jq. Tests of pages use Chromium and its driver, looked for in PATH
and installed in the same way as PostgreSQL. Tests of buckets use moto, an S3 server in Python, installed
into target/python-s3. Tests of public Singer taps install them into target/taps. To use servers of your own, where databases and buckets may be created at will:
  SELVEDGE_TEST_POSTGRES_URL=postgres://USER:PASSWORD@HOST:PORT/DATABASE cargo xtask test
  SELVEDGE_TEST_MYSQL_URL=mysql://USER:PASSWORD@HOST:PORT cargo xtask test
  SELVEDGE_TEST_S3_URL=http://HOST:PORT cargo xtask test")]
pub(crate) struct TestArguments {
    /// What runs the tests.
    #[arg(long, value_enum, default_value_t = Runner::Auto)]
    runner: Runner,
    /// Passed on to `cargo nextest run`, or to `cargo test`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Which of the two test runners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runner {
    /// cargo-nextest if it is installed, else Cargo's own.
    Auto,
    Nextest,
    Cargo,
}

/// Runs the tests that the arguments choose, all by default.
pub(crate) fn run(arguments: &TestArguments, interrupts: &Interrupts) -> Result<ExitCode> {
    let mut command = runner(arguments.runner);
    if !chooses_packages(&arguments.arguments) {
        command.arg("--workspace");
    }
    command.args(&arguments.arguments);
    if concerns(&arguments.arguments, &PYTHON_PACKAGES) {
        give_python(&mut command, interrupts)?;
    }
    if concerns(&arguments.arguments, &[BINARY_PACKAGE]) {
        shell_tools::GUIDES.provide(interrupts)?;
        give_taps(&mut command, arguments, interrupts)?;
    }
    let buckets = match needs(&arguments.arguments, BUCKET_PACKAGE) {
        true => give_buckets(&mut command, interrupts)?,
        false => None,
    };
    if needs(&arguments.arguments, BROWSER_PACKAGE) {
        let programs = chromium::programs(interrupts)?;
        eprintln!("Chromium: {}", programs.browser.display());
        command.env(chromium::BROWSER_VARIABLE, programs.browser);
        command.env(chromium::DRIVER_VARIABLE, programs.driver);
    }
    let mariadb = match concerns(&arguments.arguments, &MARIADB_PACKAGES) {
        true => {
            let kinds: &[Kind] = match concerns(&arguments.arguments, &[STRICT_PACKAGE]) {
                true => &[Kind::Open, Kind::Strict],
                false => &[Kind::Open],
            };
            mariadb::provide(&mut command, kinds, interrupts)?
        }
        false => Vec::new(),
    };
    let ended = run_with_server(&mut command, interrupts);
    drop(mariadb);
    drop(buckets);
    ended
}

/// Names the S3 server that tests make their buckets on, and starts it unless the caller has one.
pub(crate) fn give_buckets(
    command: &mut Command,
    interrupts: &Interrupts,
) -> Result<Option<moto::Server>> {
    if std::env::var_os(moto::VARIABLE).is_some_and(|value| !value.is_empty()) {
        return Ok(None);
    }
    let server = moto::Server::start(interrupts)?;
    eprintln!("S3: {} (moto)", server.url());
    command.env(moto::VARIABLE, server.url());
    Ok(Some(server))
}

/// Runs a command that runs tests, with a PostgreSQL server beside it.
pub(crate) fn run_with_server(command: &mut Command, interrupts: &Interrupts) -> Result<ExitCode> {
    let given = std::env::var_os(SERVER_VARIABLE).is_some_and(|value| !value.is_empty());
    let server = if given {
        eprintln!("PostgreSQL: the server that {SERVER_VARIABLE} names");
        None
    } else {
        let programs = postgres::programs(interrupts)?;
        let server = Server::start(&programs, &SETTINGS, interrupts)?;
        eprintln!(
            "PostgreSQL: {} ({})",
            server.url("postgres"),
            programs.folder().display()
        );
        command.env(SERVER_VARIABLE, server.url("postgres"));
        Some(server)
    };
    workspace::announce(command);
    let status = interrupts.run(command)?;
    drop(server);
    Ok(workspace::exit_code(status))
}

/// Names the interpreters that tests run public tools with, unless the caller has.
pub(crate) fn give_python(command: &mut Command, interrupts: &Interrupts) -> Result<()> {
    for (variable, environment) in [
        (python::VARIABLE, python::CLIENTS),
        (python::PUSHERS_VARIABLE, python::PUSHERS),
    ] {
        if std::env::var_os(variable).is_none_or(|value| value.is_empty()) {
            command.env(variable, environment.interpreter(interrupts)?);
        }
    }
    Ok(())
}

/// Names the directory of installed taps, unless the caller has. Taps that are missing are installed by the binary under test.
fn give_taps(
    command: &mut Command,
    arguments: &TestArguments,
    interrupts: &Interrupts,
) -> Result<()> {
    if std::env::var_os(taps::VARIABLE).is_some_and(|value| !value.is_empty()) {
        return Ok(());
    }
    let mut build = runner(arguments.runner);
    build
        .arg("--no-run")
        .args(chosen_packages(&arguments.arguments));
    command.env(taps::VARIABLE, taps::provide(build, interrupts)?);
    Ok(())
}

/// `cargo nextest run` or `cargo test`. Both build the `selvedge` binary for the tests that start it.
pub(crate) fn runner(runner: Runner) -> Command {
    let nextest = match runner {
        Runner::Auto => has_nextest(),
        Runner::Nextest => true,
        Runner::Cargo => false,
    };
    let mut command = workspace::cargo();
    if nextest {
        command.args(["nextest", "run"]);
    } else {
        // Go on after a failed crate, as nextest does.
        command.args(["test", "--no-fail-fast"]);
    }
    command
}

pub(crate) fn has_nextest() -> bool {
    workspace::cargo()
        .args(["nextest", "--version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn chooses_packages(arguments: &[String]) -> bool {
    arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .any(|argument| {
            ["--package", "--workspace", "--all", "--manifest-path"].contains(&argument.as_str())
                || argument.starts_with("--package=")
                || (argument.starts_with("-p") && !argument.starts_with("--"))
        })
}

/// The arguments that choose packages, without all others: what is built must be the same when nothing is run.
fn chosen_packages(arguments: &[String]) -> Vec<String> {
    if !chooses_packages(arguments) {
        return vec!["--workspace".to_owned()];
    }
    let mut chosen = Vec::new();
    let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-p" | "--package" | "--manifest-path" => {
                chosen.push(argument.clone());
                chosen.extend(arguments.next().cloned());
            }
            other if chooses_packages(&[other.to_owned()]) => chosen.push(argument.clone()),
            _ => {}
        }
    }
    chosen
}

/// Whether one of these crates is among the chosen ones.
fn concerns(arguments: &[String], packages: &[&str]) -> bool {
    !chooses_packages(arguments)
        || arguments.iter().any(|argument| {
            let name = argument
                .trim_start_matches("--package=")
                .trim_start_matches("-p");
            packages.contains(&name) || argument == "--workspace" || argument == "--all"
        })
}

/// Whether the tests of `package` are among the chosen ones.
fn needs(arguments: &[String], package: &str) -> bool {
    !chooses_packages(arguments)
        || arguments.iter().any(|argument| {
            argument.ends_with(package) || argument == "--workspace" || argument == "--all"
        })
}

#[cfg(test)]
mod tests {
    use super::{
        BINARY_PACKAGE, BROWSER_PACKAGE, BUCKET_PACKAGE, MARIADB_PACKAGES, PYTHON_PACKAGES,
        chooses_packages, chosen_packages, concerns, needs,
    };

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn python_is_there_whenever_the_binary_is_tested() {
        for text in [
            "",
            "some_test",
            "-p selvedge",
            "-pselvedge x",
            "--package=selvedge",
            "-p selvedge-taps",
            "--workspace",
        ] {
            assert!(concerns(&words(text), &PYTHON_PACKAGES), "{text}");
        }
        for text in ["-p selvedge-net", "--package=selvedge-api", "-p xtask"] {
            assert!(!concerns(&words(text), &PYTHON_PACKAGES), "{text}");
        }
    }

    #[test]
    fn mariadb_is_for_those_who_write_to_it() {
        for text in [
            "",
            "x",
            "-p selvedge",
            "-pselvedge-dest-mysql",
            "--workspace",
        ] {
            assert!(concerns(&words(text), &MARIADB_PACKAGES), "{text}");
        }
        for text in ["-p selvedge-dest-postgres", "--package=selvedge-api"] {
            assert!(!concerns(&words(text), &MARIADB_PACKAGES), "{text}");
        }
    }

    #[test]
    fn taps_are_for_those_who_run_them() {
        assert!(concerns(&words("-p selvedge taps"), &[BINARY_PACKAGE]));
        assert!(!concerns(&words("-p selvedge-taps"), &[BINARY_PACKAGE]));
        let chosen = |text: &str| chosen_packages(&words(text)).join(" ");
        assert_eq!(chosen("some_test --no-capture"), "--workspace");
        assert_eq!(chosen("-p selvedge x -- -p y"), "-p selvedge");
        assert_eq!(chosen("-pselvedge --retries 2"), "-pselvedge");
    }

    #[test]
    fn packages_are_chosen_before_the_double_dash_only() {
        let chooses = |text: &str| chooses_packages(&words(text));
        for text in [
            "-p selvedge-net",
            "-pselvedge-net",
            "--package=a b",
            "x --workspace",
        ] {
            assert!(chooses(text), "{text}");
        }
        for text in ["", "some_test", "-- -p", "--profile ci", "--no-capture"] {
            assert!(!chooses(text), "{text}");
        }
    }

    #[test]
    fn browsers_and_buckets_are_for_those_who_test_with_them() {
        assert!(needs(&words("-p selvedge-dest-lake"), BUCKET_PACKAGE));
        assert!(!needs(&words("-p selvedge-web"), BUCKET_PACKAGE));
        let needs = |text: &str| needs(&words(text), BROWSER_PACKAGE);
        for text in [
            "",
            "some_test",
            "-p selvedge-web",
            "-pselvedge-web",
            "--workspace",
        ] {
            assert!(needs(text), "{text}");
        }
        for text in ["-p selvedge-net", "-p selvedge x"] {
            assert!(!needs(text), "{text}");
        }
    }
}
