//! Which environment variables a tap sees: those that it needs to find programs, its language, the time zone and the way to
//! the network. Never the server's secrets.

use std::ffi::{OsStr, OsString};

/// Passed on from the server.
const ALLOWED: &[&str] = &[
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TZDIR",
    "LD_LIBRARY_PATH",
    // The way to the network. Programs disagree about the case.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    // Whom to trust there.
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "NODE_EXTRA_CA_CERTS",
    // What operators tune Python with.
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
    "PYTHONIOENCODING",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONWARNINGS",
    "MALLOC_ARENA_MAX",
];

/// The variables that taps of this server see.
#[derive(Clone, Debug, Default)]
pub struct TapEnvironment {
    variables: Vec<(OsString, OsString)>,
}

impl TapEnvironment {
    /// Picks from the server's variables. `extra` are names that the operator allows besides.
    pub fn pick(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        extra: &[String],
    ) -> Self {
        let allowed = |name: &OsStr| {
            let Some(name) = name.to_str() else {
                return false;
            };
            ALLOWED.contains(&name)
                || name.starts_with("LC_")
                || extra.iter().any(|extra| extra == name)
        };
        let mut variables: Vec<_> = variables
            .into_iter()
            .filter(|(name, _)| allowed(name))
            .collect();
        // Without a language Python and others take text for ASCII.
        if !variables
            .iter()
            .any(|(name, _)| name == "LANG" || name == "LC_ALL")
        {
            variables.push(("LANG".into(), "C.UTF-8".into()));
        }
        Self { variables }
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let pairs = self.variables.iter();
        pairs.map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Where programs are looked for.
    pub(crate) fn path(&self) -> Option<&OsStr> {
        let mut variables = self.variables();
        variables.find_map(|(name, value)| (name == "PATH").then_some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_variables_are_passed_on() {
        let given = [
            "PATH",
            "LC_TIME",
            "https_proxy",
            "SELVEDGE_MASTER_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "ORACLE_HOME",
            "LANG",
        ];
        let given = given.map(|name| (name.into(), "value".into()));
        let environment = TapEnvironment::pick(given, &["ORACLE_HOME".to_owned()]);
        let names: Vec<_> = environment.variables().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["PATH", "LC_TIME", "https_proxy", "ORACLE_HOME", "LANG"]
        );
    }

    #[test]
    fn text_is_unicode_where_nothing_else_is_said() {
        let environment = TapEnvironment::pick([], &[]);
        let variables: Vec<_> = environment.variables().collect();
        assert_eq!(variables, [("LANG".as_ref(), "C.UTF-8".as_ref())]);
    }
}
