//! The thread beside a tap: it reads stderr into the job's log, and notices when the tap rewrites its settings.

use std::io::{self, Read as _};
use std::process::ChildStderr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use selvedge_connector::LogLevel;

use super::allowance::Allowance;
use super::last_words::{self, LastWords};
use super::lines::{Line, Lines};
use super::{TapLog, level};
use crate::limits::TapLimits;
use crate::process::{Activity, wait_readable};
use crate::settings_file::SettingsFile;

/// How often the settings are looked at while the tap says nothing.
const TICK: Duration = Duration::from_millis(100);
const CHUNK: usize = 64 << 10;
/// What is still read when no process of the tap is left: more than a pipe holds.
const CHUNKS_AT_END: usize = 64;

pub(crate) struct AttendantSettings {
    pub(crate) stderr: ChildStderr,
    pub(crate) log: TapLog,
    pub(crate) limits: TapLimits,
    pub(crate) activity: Arc<Activity>,
    pub(crate) settings_file: SettingsFile,
}

/// A running attendant.
pub(crate) struct Attendant {
    thread: JoinHandle<LastWords>,
    /// Dropped when the tap has ended.
    tap: mpsc::Sender<()>,
}

impl Attendant {
    pub(crate) fn start(settings: AttendantSettings) -> io::Result<Self> {
        let (tap, ended) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("tap-stderr".to_owned())
            .spawn(move || Reader::new(settings).run(&ended))?;
        Ok(Self { thread, tap })
    }

    /// Reads what is left after the last process of the tap has ended.
    pub(crate) fn finish(self) -> LastWords {
        drop(self.tap);
        self.thread.join().unwrap_or_else(|_| {
            tracing::error!("the thread that reads a tap's stderr crashed");
            LastWords::default()
        })
    }
}

struct Reader {
    stderr: Option<ChildStderr>,
    lines: Lines,
    speaker: Speaker,
    activity: Arc<Activity>,
    settings_file: SettingsFile,
}

impl Reader {
    fn new(settings: AttendantSettings) -> Self {
        let AttendantSettings {
            stderr,
            log,
            limits,
            activity,
            settings_file,
        } = settings;
        Self {
            stderr: Some(stderr),
            lines: Lines::new(0),
            speaker: Speaker {
                allowance: Allowance::new(
                    limits.log_lines_per_second,
                    limits.log_bytes,
                    Instant::now(),
                ),
                log,
                limits,
                level: LogLevel::Info,
                words: LastWords::default(),
                heard: Instant::now(),
            },
            activity,
            settings_file,
        }
    }

    fn run(mut self, ended: &mpsc::Receiver<()>) -> LastWords {
        let mut chunk = vec![0; CHUNK];
        let mut chunks_at_end = CHUNKS_AT_END;
        loop {
            let over = match &self.stderr {
                Some(stderr) => {
                    let readable = wait_readable(stderr, TICK);
                    let over = ended.try_recv() == Err(TryRecvError::Disconnected);
                    match readable {
                        Ok(true) => {
                            self.read(&mut chunk);
                            chunks_at_end -= usize::from(over);
                            over && chunks_at_end == 0
                        }
                        Ok(false) => over,
                        Err(error) => {
                            tracing::error!(%error, "a tap's stderr cannot be waited for");
                            self.stderr = None;
                            false
                        }
                    }
                }
                None => ended.recv_timeout(TICK) == Err(RecvTimeoutError::Disconnected),
            };
            if over {
                break;
            }
            self.settings_file.look();
            self.speaker.tell_held_back(Instant::now(), false);
        }
        if let Some(line) = self.lines.rest() {
            self.speaker.hear(&line, Instant::now());
        }
        self.speaker.tell_held_back(Instant::now(), true);
        self.settings_file.look_for_the_last_time();
        self.speaker.words
    }

    fn read(&mut self, chunk: &mut [u8]) {
        let Some(stderr) = &mut self.stderr else {
            return;
        };
        let count = match stderr.read(chunk) {
            Ok(0) => {
                self.stderr = None;
                return;
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            Err(error) => {
                tracing::error!(%error, "a tap's stderr cannot be read");
                self.stderr = None;
                return;
            }
        };
        self.activity.note();
        // A value that the tap has just replaced is a secret before it can be in a line.
        self.settings_file.look();
        let limit = self.speaker.limits.log_line;
        self.lines
            .keep(limit + self.speaker.log.redactor.lookahead());
        let (now, speaker) = (Instant::now(), &mut self.speaker);
        self.lines
            .push(chunk.get(..count).unwrap_or_default(), |line| {
                speaker.hear(&line, now);
            });
    }
}

/// Passes lines on to the log.
struct Speaker {
    log: TapLog,
    limits: TapLimits,
    allowance: Allowance,
    /// Of the last line that had one.
    level: LogLevel,
    words: LastWords,
    heard: Instant,
}

impl Speaker {
    fn hear(&mut self, line: &Line, now: Instant) {
        if line.text.is_empty() {
            return;
        }
        let limit = self.limits.log_line;
        let text = self.log.redactor.redact_until(&line.text, limit);
        let (level, mut text) = match level::parse(&text) {
            Some((level, text)) => {
                self.level = level;
                (level, text)
            }
            None => {
                if last_words::is_traceback(&text) && self.level != LogLevel::Critical {
                    self.level = LogLevel::Error;
                }
                (self.level, text.into_owned())
            }
        };
        self.words.hear(level, &text);
        let cut = line.cut + line.text.len().saturating_sub(limit);
        if cut > 0 {
            text.push_str(&format!(" … ({cut} more bytes)"));
        }
        self.heard = now;
        // What was held back is told before the line that follows it.
        let held_back = self.allowance.held_back();
        if self.allowance.passes(text.len(), now) {
            if held_back {
                self.tell_held_back(now, true);
            }
            // Redacted above, whole: here a secret could only be recognised in part.
            (self.log.sink)(level, &text);
        }
    }

    fn tell_held_back(&mut self, now: Instant, at_once: bool) {
        let quiet = now.saturating_duration_since(self.heard) >= Allowance::TELL_AFTER;
        if !at_once && !quiet {
            return;
        }
        if let Some(count) = self.allowance.take_held_back() {
            let lines = if count == 1 { "line" } else { "lines" };
            (self.log.sink)(
                LogLevel::Warning,
                &format!("{count} {lines} of the tap's log left out: it writes too many"),
            );
        }
    }
}
