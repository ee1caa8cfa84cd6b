//! How bodies are parsed, depending on their media type and their content.

use super::*;

fn body(kind: &str, text: &str, is_strict: bool) -> EventBody {
    parse(
        text,
        text.as_bytes(),
        BodyFormat {
            content_type: kind,
            is_strict,
            batches: Batches::Split,
        },
    )
}

fn members(kind: &str, text: &str) -> String {
    let EventBody {
        members,
        unreadable,
        ..
    } = body(kind, text, false);
    unreadable.map_or_else(
        || Value::Object(members).to_string(),
        |unreadable| unreadable.reason,
    )
}

#[test]
fn bodies_are_parsed_whatever_their_declared_type() {
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    for (kind, text, expected) in [
        (json, "{\"a\":\"x\ny\"}", r#"{"a":"x\ny"}"#),
        (json, r#"{"a":1,}"#, r#"{"a":1}"#),
        (form, r#"{"a":1,}"#, r#"{"a":1}"#),
        (form, "%7B%22a%22%3A1%7D", r#"{"a":1}"#),
        (
            form,
            "event=%7B%22a%22%3A1%7D",
            r#"{"a":1,"event":"{\"a\":1}"}"#,
        ),
        (json, r#"{\"a\":1}"#, r#"{"a":1}"#),
        (json, "{&quot;a&quot;:1}", r#"{"a":1}"#),
        ("", r#"{"a":NaN}"#, r#"{"a":null}"#),
        (json, r#""{\"a\": 1}""#, r#"{"a":1}"#),
        (json, "a=1&b%5Bc%5D=x+y", r#"{"a":"1","b":{"c":"x y"}}"#),
        ("", "a=1&b=2", r#"{"a":"1","b":"2"}"#),
        (
            form,
            "payload=%7B%22a%22%3A1%7D",
            r#"{"a":1,"payload":"{\"a\":1}"}"#,
        ),
        (
            form,
            "data={\"a\":1}&b=2",
            r#"{"a":1,"data":"{\"a\":1}","b":"2"}"#,
        ),
        (
            form,
            "a=K%FChlhaus&b=%E2%82%AC",
            r#"{"a":"Kühlhaus","b":"€"}"#,
        ),
        (
            "application/x-www-form-urlencoded; charset=iso-8859-15",
            "a=%A4",
            r#"{"a":"€"}"#,
        ),
        (json, "[1]", r#"{"_json":[1]}"#),
        (json, "", "{}"),
        ("message/rfc822", "Subject: a=b", "{}"),
        (
            json,
            "hello",
            "not JSON: line 1, column 1, neither an object nor an array",
        ),
        (
            json,
            "{\"a\": \"b\nc}",
            "not JSON: line 1, column 9, raw newline in a string",
        ),
        (
            "text/plain",
            "Disk is full",
            "the body is neither JSON nor a form",
        ),
        (
            json,
            r#"{"$serde_json::private::Number":"x"}"#,
            "a name in the body begins with the reserved prefix '$serde_json::private::'",
        ),
    ] {
        assert_eq!(members(kind, text), expected, "{kind}: {text}");
    }
}

#[test]
fn lists_are_split_into_events() {
    for text in [
        "[{\"a\":1},{\"a\":2},{\"a\":3}]",
        "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n",
    ] {
        let EventBody {
            members, further, ..
        } = body("application/json", text, false);
        assert_eq!(Value::Object(members).to_string(), r#"{"a":1}"#);
        assert_eq!(Value::from(further).to_string(), r#"[{"a":2},{"a":3}]"#);
    }

    assert_eq!(
        body("", "[{\"a\":1},2]", false).further,
        Vec::<Value>::new()
    );

    let whole = parse(
        "[{\"a\":1}]",
        b"",
        BodyFormat {
            content_type: "",
            is_strict: false,
            batches: Batches::Whole,
        },
    );
    assert_eq!(
        Value::Object(whole.members).to_string(),
        r#"{"_json":[{"a":1}]}"#
    );
}

#[test]
fn strict_mode_repairs_nothing() {
    for (text, expected) in [
        ("{\"a\":1,}", "not JSON: trailing comma at line 1 column 8"),
        (
            "{\"a\":1}\n{\"a\":2}",
            "not JSON: trailing characters at line 2 column 1",
        ),
        ("a=1", "not JSON: expected value at line 1 column 1"),
    ] {
        assert_eq!(
            body("application/json", text, true).unreadable,
            Some(Unreadable::malformed(expected.to_owned()))
        );
    }

    let array = body("application/json", "[{\"a\":1}]", true);
    assert_eq!(
        Value::Object(array.members).to_string(),
        r#"{"_json":[{"a":1}]}"#
    );
}
