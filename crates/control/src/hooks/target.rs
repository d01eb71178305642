//! Where a hook may point.

use selvedge_net::NetworkPolicy;
use url::{Host, Url};

/// Longest address, in bytes: what servers and proxies in between commonly take.
const MAX_LENGTH: usize = 2_048;

/// Whether `url` is an absolute HTTPS address (HTTP only if that is allowed) that the operator's networks do not rule out
/// by themselves. A host name is held against them when it is resolved, at every call.
pub(super) fn acceptable(url: &str, allow_http: bool, network: &NetworkPolicy) -> bool {
    // The parser mends much that is no URL: it drops blanks, and adds or turns slashes.
    let odd =
        |character: char| character.is_whitespace() || character.is_control() || character == '\\';
    if url.len() > MAX_LENGTH || url.contains(odd) || url.contains(":///") {
        return false;
    }
    let Ok(parsed) = Url::parse(url) else {
        return false;
    };
    let scheme = parsed.scheme() == "https" || (allow_http && parsed.scheme() == "http");
    // A password in the address would be shown in every answer, and a user is a header of the user's choice.
    let anonymous = parsed.username().is_empty() && parsed.password().is_none();
    let permitted = match parsed.host() {
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => network.permits(address.into()),
        Some(Host::Ipv6(address)) => network.permits(address.into()),
        None => false,
    };
    scheme && url[parsed.scheme().len()..].starts_with("://") && anonymous && permitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(url: &str) -> bool {
        acceptable(url, false, &NetworkPolicy::default())
    }

    #[test]
    fn https_addresses_with_a_host_are_accepted_as_they_are() {
        for good in [
            "https://hooks.example.org/in/7",
            "HTTPS://hooks.example.org",
            "https://hooks.example.org:8443/in?key=v#part",
            "https://b%C3%BCcher.example/",
            "https://bücher.example/",
            "https://93.184.216.34/in",
            "https://[2606:2800:220:1::1]/in",
        ] {
            assert!(strict(good), "{good}");
        }
    }

    #[test]
    fn what_is_no_such_address_is_refused() {
        for bad in [
            "",
            "hooks.example.org",
            "/in/7",
            "http://hooks.example.org/",
            "ftp://hooks.example.org/",
            "file:///etc/passwd",
            "https://",
            "https:///hooks.example.org",
            "https:hooks.example.org",
            "https:/hooks.example.org",
            "https:\\\\hooks.example.org",
            " https://hooks.example.org",
            "https://hooks.example.org/a b",
            "https://hooks.example.org/\n",
            "https://hooks.example.org/\0",
            "https://user@hooks.example.org/",
            "https://user:pass@hooks.example.org/",
            "https://hooks.example.org:99999/",
            "https://hooks example.org/",
            &format!("https://hooks.example.org/{}", "x".repeat(MAX_LENGTH)),
        ] {
            assert!(!strict(bad), "{bad}");
        }
    }

    #[test]
    fn plain_http_needs_the_operators_word() {
        let open = NetworkPolicy::default();
        assert!(acceptable("http://hooks.example.org/", true, &open));
        assert!(!acceptable("ftp://hooks.example.org/", true, &open));
    }

    #[test]
    fn literal_addresses_are_held_against_the_networks_in_whatever_form() {
        for private in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://10.0.0.8:9000/",
            "https://[::1]/",
            "https://[::ffff:192.168.0.1]/",
        ] {
            assert!(!strict(private), "{private}");
            let toy = NetworkPolicy {
                private: true,
                ..NetworkPolicy::default()
            };
            assert!(acceptable(private, false, &toy), "{private}");
        }
        let toy = NetworkPolicy {
            private: true,
            deny: vec!["10.0.0.0/8".parse().unwrap()],
            ..NetworkPolicy::default()
        };
        for never in ["https://169.254.169.254/latest", "https://10.0.0.8/"] {
            assert!(!acceptable(never, true, &toy), "{never}");
        }
    }
}
