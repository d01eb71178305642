//! Addresses that users are sent back to.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All that RFC 3986 does not leave unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A registered address with the answer appended: the code, and the partner's own `state` as it was sent.
pub(super) fn accepted(redirect_uri: &str, code: &str, state: Option<&str>) -> String {
    let mut address = redirect_uri.to_owned();
    append(&mut address, "code", code);
    if let Some(state) = state {
        append(&mut address, "state", state);
    }
    address
}

fn append(address: &mut String, name: &str, value: &str) {
    match address.split_once('?') {
        None => address.push('?'),
        Some((_, query)) if query.is_empty() || query.ends_with('&') => {}
        Some(_) => address.push('&'),
    }
    address.push_str(name);
    address.push('=');
    address.extend(utf8_percent_encode(value, ESCAPED));
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn the_answer_goes_behind_what_the_address_has() {
        for (redirect_uri, address) in [
            ("https://a.example/cb", "https://a.example/cb?code=c0de"),
            (
                "https://a.example/cb?x=1",
                "https://a.example/cb?x=1&code=c0de",
            ),
            ("https://a.example/cb?", "https://a.example/cb?code=c0de"),
            (
                "https://a.example/cb?x&",
                "https://a.example/cb?x&code=c0de",
            ),
        ] {
            assert_eq!(accepted(redirect_uri, "c0de", None), address);
        }
    }

    #[test]
    fn state_comes_back_as_it_was_sent() {
        let address = accepted("https://a.example/cb", "c0de", Some("a b&code=x#é"));
        assert_eq!(
            address,
            "https://a.example/cb?code=c0de&state=a%20b%26code%3Dx%23%C3%A9"
        );
    }
}
