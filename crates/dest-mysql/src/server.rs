//! What kind of server answers, as far as statements depend on it.

use selvedge_connector::ConnectorError;

/// `row_number()` and collations without padding came with these.
const OLDEST_MYSQL: (u32, u32, u32) = (8, 0, 17);
const OLDEST_MARIADB: (u32, u32, u32) = (10, 3, 0);

/// MySQL or MariaDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) mariadb: bool,
    version: (u32, u32, u32),
}

impl Server {
    /// From what `version()` answers: `8.4.2`, `10.11.19-MariaDB-0+deb12u1`.
    pub(crate) fn new(version: &str) -> Self {
        let mut numbers = version
            .split(|c: char| !c.is_ascii_digit())
            .map(|digits| digits.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Self {
            mariadb: version.to_ascii_lowercase().contains("mariadb"),
            version: (next(), next(), next()),
        }
    }

    /// Fails with a sentence when the server is older than what we need.
    pub(crate) fn require_supported(&self) -> Result<(), ConnectorError> {
        let (name, oldest) = match self.mariadb {
            true => ("MariaDB 10.3", OLDEST_MARIADB),
            false => ("MySQL 8.0.17", OLDEST_MYSQL),
        };
        if self.version < oldest {
            return Err(ConnectorError::configuration(format!(
                "the server is older than {name}"
            )));
        }
        Ok(())
    }

    /// The collation of text in keys: bytes are compared, and trailing blanks count.
    pub(crate) fn key_collation(&self) -> &'static str {
        match self.mariadb {
            true => "utf8mb4_nopad_bin",
            false => "utf8mb4_0900_bin",
        }
    }

    /// How deep JSON may be nested; the server refuses more.
    pub(crate) fn json_depth(&self) -> usize {
        match self.mariadb {
            true => 31,
            false => 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart_and_old_ones_refused() {
        for (version, mariadb, supported) in [
            ("8.0.17", false, true),
            ("9.4.0-commercial", false, true),
            ("8.0.16", false, false),
            ("5.7.44-log", false, false),
            ("10.11.19-MariaDB-0+deb12u1", true, true),
            ("10.2.44-MariaDB", true, false),
            ("11.8.2-MariaDB-ubu2404", true, true),
            ("nonsense", false, false),
        ] {
            let server = Server::new(version);
            assert_eq!(server.mariadb, mariadb, "{version}");
            assert_eq!(server.require_supported().is_ok(), supported, "{version}");
        }
    }
}
