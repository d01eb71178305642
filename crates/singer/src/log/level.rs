//! Levels of lines, in the shapes that taps use.

use std::sync::LazyLock;

use regex::Regex;
use selvedge_connector::LogLevel;
use serde_json::{Map, Value};

/// The shapes, most telling first. What they name: `level`, `text`, and the logger as `name`.
static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const LEVEL: &str =
        r"(?P<level>(?i:trace|debug|info|notice|warn|warning|error|critical|fatal))";
    const TIME: &str = r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[A-Z]{3,4}|[+-]\d\d:?\d\d))?\]?";
    let shapes = [
        // Singer SDK: 2024-05-01 10:00:00,123 | INFO     | tap-shop | text
        format!(r"^{TIME} *\| *{LEVEL} *\| *(?P<name>[^|]*?) *\| *(?P<text>.*)$"),
        // Python, configured by hand: 2024-05-01 10:00:00,123 - tap_shop - INFO - text
        format!(r"^{TIME} - (?P<name>\S+) - {LEVEL} - (?P<text>.*)$"),
        // Key and value: time=2024-05-01 10:00:00 name=tap_shop level=INFO message=text
        format!(
            r#"^(?:time|ts|timestamp)=.* name="?(?P<name>[^ "]+)"? level="?{LEVEL}"? (?:message|msg)=(?P<text>.*)$"#
        ),
        format!(
            r#"^(?:time|ts|timestamp)=.*? level="?{LEVEL}"? (?:message|msg)=(?P<text>.*)$"#
        ),
        // Python's default: INFO:tap_shop:text
        format!(r"^{LEVEL}:(?P<name>[\w.-]+):(?P<text>.*)$"),
        // 2024-05-01 10:00:00 INFO text, [INFO] text, and singer-python's INFO text
        format!(r"^(?:{TIME}[ ,:-]*)?\[{LEVEL} *\][ :-]*(?P<text>.*)$"),
        format!(r"^{TIME}[ ,:-]*{LEVEL}\b[ :-]*(?P<text>.*)$"),
        // Bare words only as a program writes them, never as a sentence begins.
        r"^(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)(?: +|: *|$)(?P<text>.*)$".to_owned(),
        // Python's warnings: /path/file.py:12: DeprecationWarning: text
        r"^(?:\S+:\d+: )(?P<text>(?P<level>\w*Warning): .*)$".to_owned(),
    ];
    shapes
        .iter()
        .map(|shape| Regex::new(shape).expect("the shapes are regular expressions"))
        .collect()
});

/// The level that a line says it has, and the line without level and time. `None` for a line that says nothing of it.
pub(crate) fn parse(line: &str) -> Option<(LogLevel, String)> {
    if line.starts_with('{') {
        return parse_object(line);
    }
    let captures = SHAPES.iter().find_map(|shape| shape.captures(line))?;
    let level = level(captures.name("level")?.as_str())?;
    let text = captures.name("text").map_or("", |text| text.as_str());
    let name = captures.name("name").map_or("", |name| name.as_str());
    Some((level, named(name, text)))
}

/// Loggers of libraries are worth naming; metrics are read by programs.
fn named(name: &str, text: &str) -> String {
    if matches!(name, "" | "root" | "singer") || text.starts_with("METRIC:") {
        return text.to_owned();
    }
    format!("{name}: {text}")
}

/// One JSON object a line, as structured loggers write it.
fn parse_object(line: &str) -> Option<(LogLevel, String)> {
    let members: Map<String, Value> = serde_json::from_str(line).ok()?;
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| members.get(*name));
        found.and_then(Value::as_str)
    };
    let level = level(text(&["level", "levelname", "severity", "log_level"])?)?;
    let message = text(&["message", "event", "msg"])?;
    Some((
        level,
        named(text(&["logger", "name"]).unwrap_or(""), message),
    ))
}

fn level(word: &str) -> Option<LogLevel> {
    let level = match word.to_ascii_uppercase().as_str() {
        "TRACE" | "DEBUG" => LogLevel::Debug,
        "INFO" | "NOTICE" => LogLevel::Info,
        "WARN" | "WARNING" => LogLevel::Warning,
        "ERROR" => LogLevel::Error,
        "CRITICAL" | "FATAL" => LogLevel::Critical,
        other if other.ends_with("WARNING") => LogLevel::Warning,
        _ => return None,
    };
    Some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_shapes_are_understood() {
        use LogLevel::{Critical, Debug, Error, Info, Warning};
        let cases = [
            ("INFO Starting sync", Info, "Starting sync"),
            ("CRITICAL 401 Client Error", Critical, "401 Client Error"),
            ("WARNING", Warning, ""),
            (
                r#"INFO METRIC: {"type":"counter","value":5}"#,
                Info,
                r#"METRIC: {"type":"counter","value":5}"#,
            ),
            (
                "2024-05-01 10:00:00,123 - tap_shop - ERROR - no such table",
                Error,
                "tap_shop: no such table",
            ),
            (
                "2024-05-01 10:00:00,123 | INFO     | tap-shop | Beginning",
                Info,
                "tap-shop: Beginning",
            ),
            (
                r#"2024-05-01 10:00:00,123 | INFO | singer_sdk.metrics | METRIC: {"a":1}"#,
                Info,
                r#"METRIC: {"a":1}"#,
            ),
            (
                "time=2024-05-01 10:00:00 name=tap_postgres level=CRITICAL message=no server",
                Critical,
                "tap_postgres: no server",
            ),
            (
                r#"time="2024-05-01T10:00:00Z" level=warning msg="slow""#,
                Warning,
                r#""slow""#,
            ),
            ("INFO:root:text: more", Info, "text: more"),
            ("DEBUG:urllib3.pool:GET /", Debug, "urllib3.pool: GET /"),
            ("[2024-05-01T10:00:00Z] [warn] slow", Warning, "slow"),
            ("2024-05-01 10:00:00 INFO text", Info, "text"),
            (
                "/lib/x.py:12: DeprecationWarning: old",
                Warning,
                "DeprecationWarning: old",
            ),
            (
                r#"{"event": "fetching", "level": "info", "logger": "tap"}"#,
                Info,
                "tap: fetching",
            ),
        ];
        for (line, level, text) in cases {
            assert_eq!(parse(line), Some((level, text.to_owned())), "{line}");
        }
    }

    #[test]
    fn other_lines_say_nothing_of_a_level() {
        for line in [
            "",
            "Information about tables",
            "Error while reading",
            "  File \"x.py\", line 3",
            "ValueError: bad",
            r#"{"a": 1}"#,
            "{not json",
            "2024-05-01 10:00:00 something",
            "INFORMATION_SCHEMA is read",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
