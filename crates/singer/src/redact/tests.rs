use serde_json::json;

use super::*;

const TOKEN: &str = "s3cr\"et/tök en+9";

fn redactor(secret: &str) -> Redactor {
    Redactor::new([secret.to_owned()])
}

#[test]
fn a_secret_is_masked_wherever_it_stands() {
    let text = format!("token={TOKEN}, and {TOKEN}{TOKEN}.");
    assert_eq!(redactor(TOKEN).redact(&text), "token=***, and ******.");
}

#[test]
fn forms_in_which_programs_write_a_secret_are_masked() {
    let forms = [
        r#"{"token": "s3cr\"et/tök en+9"}"#,
        r#"{"token": "s3cr\"et/t\u00f6k en+9"}"#,
        "?token=s3cr%22et%2Ft%C3%B6k%20en%2B9&page=1",
        "?token=s3cr%22et%2ft%c3%b6k%20en%2b9&page=1",
        "?token=s3cr%22et%2Ft%C3%B6k+en%2B9&page=1",
        "?token=s3cr%22et/t%C3%B6k%20en%2B9&page=1",
    ];
    for form in forms {
        let masked = redactor(TOKEN).redact(form).into_owned();
        assert!(
            masked.contains("***") && !masked.contains("s3cr"),
            "{masked}"
        );
    }
}

#[test]
fn a_secret_inside_of_base64_is_masked_whatever_stands_before_it() {
    for user in ["", "u", "us", "use", "user"] {
        let header = STANDARD_NO_PAD.encode(format!("{user}:{TOKEN}"));
        let masked = redactor(TOKEN).redact(&header).into_owned();
        let hidden = header.len() - masked.len() + MASK.len();
        // What is left holds no whole character of the secret but its edges.
        assert!(hidden + 4 >= TOKEN.len() * 8 / 6, "{header} {masked}");
    }
}

#[test]
fn short_secrets_are_masked_only_as_words() {
    let redactor = redactor("test");
    assert_eq!(
        redactor.redact("password 'test' of tester, latest"),
        "password '***' of tester, latest"
    );
    assert_eq!(Redactor::new(["a".to_owned()]).redact("a b a"), "a b a");
    let truth = Redactor::new(["true".to_owned()]);
    assert_eq!(truth.redact("it is true"), "it is true");
}

#[test]
fn lines_and_members_of_a_secret_document_are_masked() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
    let document = json!({"type": "service_account", "private_key": key}).to_string();
    let redactor = redactor(&document);
    assert_eq!(redactor.redact("read MIIEvQIBADANBgkq"), "read ***");
    assert_eq!(redactor.redact("hkiG9w0BAQEFAASC"), "***");
    assert_eq!(redactor.redact(&document), "***");
}

#[test]
fn what_is_learnt_later_is_masked_from_then_on() {
    let redactor = redactor("first-token");
    assert_eq!(redactor.redact("second-token"), "second-token");
    redactor.learn_value(&json!({"access": ["second-token"]}));
    assert_eq!(redactor.redact("first-token second-token"), "*** ***");
}

#[test]
fn nothing_is_copied_where_there_is_nothing_to_hide() {
    assert!(matches!(
        redactor(TOKEN).redact("INFO fine"),
        Cow::Borrowed(_)
    ));
    assert!(matches!(
        Redactor::new([]).redact("INFO fine"),
        Cow::Borrowed(_)
    ));
}

#[test]
fn nothing_of_a_secret_is_left_where_a_text_is_cut() {
    let redactor = redactor("0123456789");
    let ahead = redactor.lookahead();
    let text = "0123456789 and 0123456789 and more";
    for limit in 0..text.len() {
        let known = &text[..(limit + ahead).min(text.len())];
        let masked = redactor.redact_until(known, limit).into_owned();
        assert!(!masked.contains(|c: char| c.is_ascii_digit()), "{masked}");
    }
}
