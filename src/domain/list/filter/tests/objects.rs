//! Filters on objects, and on values below them.

use super::{STORED, check, matches};

#[test]
fn a_whole_object_is_compared_as_json() {
    let stored = r#"{"meta":{"env":"prod","n":{"a":[1,2.0]}}}"#;
    for (query, expected) in [
        (r#"meta={"n":{"a":[1.0,2]},"env":"prod"}"#, true),
        (r#"meta={"env":"prod"}"#, false),
        (r#"meta={"env":"prod"}&ops=meta:ne"#, true),
        (
            r#"meta={"env":"pr\u006fd","n":{"a":[1,2]}}&ops=meta:ne"#,
            false,
        ),
        (r#"meta={"env":"prod"}&ops=meta:contains"#, true),
        (r#"meta={"n":{"a":[1,2]}}&ops=meta:contains"#, true),
        (r#"meta={"n":{}}&ops=meta:contains"#, false),
        ("meta={}&ops=meta:contains", true),
        ("meta={}", false),
    ] {
        assert_eq!(matches(query, stored), expected, "{query}");
    }
}

#[test]
fn a_text_below_an_object_is_text() {
    check(
        "meta.env",
        &[
            ("equals", &["prod"], &["Prod", "pro", ""]),
            ("ne", &["Prod"], &["prod"]),
            ("lt", &["q"], &["prod", "a"]),
            ("lte", &["prod"], &["a"]),
            ("gt", &["a"], &["prod", "q"]),
            ("gte", &["prod"], &["q"]),
            ("between", &["a..q"], &["q..z"]),
            ("beginsWith", &["pr"], &["ro"]),
            ("contains", &["ro"], &["RO"]),
        ],
    );

    // A text of digits stays text: no number equals it but the one written alike.
    check(
        "meta.digits",
        &[("equals", &["10"], &["10.0"]), ("lt", &["9"], &["1"])],
    );
}

#[test]
fn a_number_below_an_object_is_a_number() {
    check(
        "meta.count",
        &[
            ("equals", &["10", "1e1"], &["ten", "", "010", "9"]),
            ("ne", &["9", "ten"], &["10.0"]),
            ("lt", &["11", "100"], &["9", "10", "z"]),
            ("lte", &["10"], &["9"]),
            ("gt", &["9"], &["10", "100", ""]),
            ("gte", &["10"], &["11"]),
            ("between", &["9..11"], &["1..9", "a..z", "9..z"]),
            ("beginsWith", &["1"], &["0"]),
            ("contains", &["0"], &["2"]),
        ],
    );
    check(
        "meta.ratio",
        &[
            ("equals", &["0.5", "5e-1"], &["0.50001"]),
            ("gt", &["0.49"], &["0.5"]),
        ],
    );
}

#[test]
fn large_integers_are_never_rounded() {
    check(
        "meta.big",
        &[
            (
                "equals",
                &["9007199254740993", "9007199254740993.0"],
                &["9007199254740992", "9007199254740994"],
            ),
            ("ne", &["9007199254740992"], &["9007199254740993"]),
            (
                "gt",
                &["9007199254740992", "9007199254740992.5"],
                &["9007199254740993"],
            ),
            (
                "lt",
                &["123456789012345678901234567890"],
                &["9007199254740993"],
            ),
        ],
    );
    let stored = r#"{"tinyId":123456789012345678901234567890123456789012345678901}"#;
    assert!(matches(
        "tinyId=123456789012345678901234567890123456789012345678901",
        stored
    ));
    assert!(!matches(
        "tinyId=123456789012345678901234567890123456789012345678902",
        stored
    ));
}

#[test]
fn booleans_and_null_below_an_object_have_their_names() {
    check(
        "meta.on",
        &[
            ("equals", &["true", "1"], &["false", "0", "yes", ""]),
            ("ne", &["false", "yes"], &["true", "1"]),
            ("gt", &["false"], &["true", "yes"]),
            ("beginsWith", &["tr"], &["1"]),
            ("contains", &["ru"], &["x"]),
        ],
    );
    check(
        "meta.none",
        &[
            ("equals", &["null"], &["", "0", "false"]),
            ("ne", &["", "x"], &["null"]),
            ("lte", &[], &["null"]),
            ("beginsWith", &[], &["", "n"]),
            ("contains", &[], &["null"]),
        ],
    );
}

#[test]
fn an_array_below_an_object_matches_by_some_element() {
    check(
        "meta.tags",
        &[
            (
                "equals",
                &["red", "green", "7", "true", "null", r#"{"x":1.0}"#],
                &["re", "8", "deep", "", "{}"],
            ),
            ("ne", &["blue", "deep"], &["red", "7.0"]),
            ("gt", &["6", "a"], &["z"]),
            ("between", &["6..8", "g..h"], &["8..9"]),
            ("beginsWith", &["gr", "7", "tr"], &["ed", "deep"]),
            ("contains", &["red", "7"], &["re", "gree", "deep"]),
        ],
    );
}

#[test]
fn an_object_below_an_object_is_compared_as_json() {
    check(
        "meta.owner",
        &[
            (
                "equals",
                &[r#"{"level":3,"team":"ops"}"#],
                &[r#"{"team":"ops"}"#, "ops", "{}", "{"],
            ),
            (
                "ne",
                &[r#"{"team":"ops"}"#, "ops"],
                &[r#"{"level":3,"team":"ops"}"#],
            ),
            (
                "contains",
                &[r#"{"team":"ops"}"#, "{}"],
                &[r#"{"team":"dev"}"#, "team", ""],
            ),
            ("lt", &[], &["{}", "z"]),
            ("beginsWith", &[], &["{", ""]),
        ],
    );
}

#[test]
fn a_dotted_name_goes_as_deep_as_it_has_dots() {
    assert!(matches("meta.owner.team=ops", STORED));
    assert!(matches("meta.owner.level=3", STORED));
    assert!(matches("meta.a.b.c=dotted", STORED));
    assert!(!matches("meta.owner.team.x=ops", STORED));
    assert!(!matches("meta.env.x=prod", STORED));
}
