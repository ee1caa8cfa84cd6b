//! Which texts can be repaired, and the errors of the others.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> String {
    parse(text).map_or_else(
        |fault| fault.to_string(),
        |values| Value::Array(values).to_string(),
    )
}

#[test]
fn common_mistakes_are_repaired() {
    for (text, expected) in [
        ("{\"a\":\"x\ny\tz\r\u{1}\"}", r#"[{"a":"x\ny\tz\r\u0001"}]"#),
        (
            r#"{"a": NaN, "b": [Infinity, -Infinity], "c": None, "d": True}"#,
            r#"[{"a":null,"b":[null,null],"c":null,"d":true}]"#,
        ),
        (
            r#"{"a": "\ud83d", "b": "\ud83d\ude00", "c": "\ude00x", "d": "\u00e9"}"#,
            "[{\"a\":\"\u{fffd}\",\"b\":\"\u{1f600}\",\"c\":\"\u{fffd}x\",\"d\":\"é\"}]",
        ),
        (
            r#"{"a": [1, 2,], "b": {"c": 3,},}"#,
            r#"[{"a":[1,2],"b":{"c":3}}]"#,
        ),
        (r#"{"a": ,"b":,"c": }"#, r#"[{"a":null,"b":null,"c":null}]"#),
        (r#"[,1,,2]"#, "[[1,2]]"),
        ("{\"a\":1}\0\0", r#"[{"a":1}]"#),
        ("{\"a\":1}\r\n-- \r\nsent by cron", r#"[{"a":1}]"#),
        ("\u{feff}{\"a\":1}", r#"[{"a":1}]"#),
        ("{\"a\":1}\n{\"a\":2}\n", r#"[{"a":1},{"a":2}]"#),
        ("{\"a\":1}, {\"a\":2};", r#"[{"a":1},{"a":2}]"#),
        (
            r#"{"path": "C:\temp\dir", "regex": "\d+", "half": "\u12"}"#,
            r#"[{"path":"C:\temp\\dir","regex":"\\d+","half":"\\u12"}]"#,
        ),
        (
            r#"{"value": 12.5 ms, "host": db-1, 'a': 'b', "zero": 007}"#,
            r#"[{"value":"12.5 ms","host":"db-1","a":"b","zero":"007"}]"#,
        ),
        (r#"{"a": 1 "b": 2}"#, r#"[{"a":1,"b":2}]"#),
        (r#"{"a": 1.50}"#, r#"[{"a":1.50}]"#),
        (
            r#"{"a": "the "web" server, "db" too" , "b": "x" }"#,
            r#"[{"a":"the \"web\" server, \"db\" too","b":"x"}]"#,
        ),
        (
            "{\"a\": 1, // one\n /* two, \"b\": */ \"c\": \"//\", \"d\": /tmp}",
            r#"[{"a":1,"c":"//","d":"/tmp"}]"#,
        ),
        (r#"{"a" => "b", "c"="d"}"#, r#"[{"a":"b","c":"d"}]"#),
        (r#"{u'a': u'b', 'c': b'd'}"#, r#"[{"a":"b","c":"d"}]"#),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn errors_name_their_place() {
    let deep = format!("{{\"a\":{}", "[".repeat(200));
    for (text, expected) in [
        ("hello", "line 1, column 1, neither an object nor an array"),
        ("", "line 1, column 1, neither an object nor an array"),
        (
            "{\"a\":\n  [1, 2}",
            "line 2, column 8, ']' is missing before '}'",
        ),
        ("{\"a\": \"b", "line 1, column 7, unterminated string"),
        (
            "{\"a\": \"b\nc}",
            "line 1, column 9, raw newline in a string",
        ),
        (
            "{\"a\": {\"b\": 1",
            "line 1, column 14, unexpected end of an object",
        ),
        ("[1, 2", "line 1, column 6, unexpected end of an array"),
        (
            deep.as_str(),
            "line 1, column 132, values nested deeper than 127",
        ),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn every_text_is_parsed_or_rejected(text in "[\\[\\]{},:\"\\\\u0-9a-f'nN \n\u{0}\u{e9}-]{0,40}") {
        let _either = parse(&text);
    }

    #[test]
    fn valid_json_is_unchanged(numbers in prop::collection::vec(any::<f64>(), 0..5), text in any::<String>()) {
        let value = serde_json::json!({"numbers": numbers, "text": text, "nested": [{"a": null, "b": [true, false]}]});
        prop_assert_eq!(parse(&value.to_string()), Ok(vec![value]));
    }
}
