//! What templates render, and which of them are rejected.

use super::*;
use proptest::prelude::*;
use serde_json::json;

pub(super) fn over(values: Value) -> Templates {
    Templates::new(values, "2026-11-07T15:04:09Z".parse().unwrap())
}

pub(super) fn templates() -> Templates {
    over(json!({
        "data": {
            "name": "a & \"b\" <i>c</i>", "count": 1.5, "yes": true, "none": null, "tags": ["x", "y", 3],
            "list": [{"id": 1}, {"id": 2}], "inner": {"a-b": "dash"}, "url": "https://x.example.com/?a=1&b=2"
        },
        "log": {"data": "the log"}, "len": "a value"
    }))
}

#[test]
fn values_are_formatted_as_in_javascript_and_not_escaped() {
    for (template, expected) in [
        ("plain", "plain"),
        ("{{data.name}}", "a & \"b\" <i>c</i>"),
        (
            "{{{data.url}}} {{&data.url}}",
            "https://x.example.com/?a=1&b=2 https://x.example.com/?a=1&b=2",
        ),
        (
            "{{data.count}} {{data.yes}} {{data.none}}{{data.missing.too}}.",
            "1.5 true .",
        ),
        (
            "{{data.tags}} {{data.inner}} {{data.inner.a-b}}",
            "x,y,3 [object Object] dash",
        ),
        (
            "{{data.list.[1].id}} {{data.list.0.id}} {{data.list.[7].id}}",
            "2 1 ",
        ),
        ("{{log.data}} {{len}}", "the log a value"),
        (
            "{{#each data.list}}{{@index}}={{id}}{{#unless @last}}, {{/unless}}{{/each}}",
            "0=1, 1=2",
        ),
        (
            "{{#if data.yes}}on{{else}}off{{/if}}{{#with data.inner}} {{a-b}}{{/with}}",
            "on dash",
        ),
        (
            "{{#if data.none}}1{{else if data.yes}}2{{else}}3{{/if}}",
            "2",
        ),
        ("{{! a remark }}{{lookup data \"yes\"}}", "true"),
    ] {
        assert_eq!(
            templates().render(template).as_deref(),
            Ok(expected),
            "{template}"
        );
    }
}

#[test]
fn errors_of_broken_templates_name_the_problem() {
    for (template, part) in [
        ("{{data", "syntax"),
        ("{{#if a}}", "helper"),
        ("{{nonsense 1}}", "nonsense"),
        ("{{> other}}", "partials"),
        ("{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}", "partials"),
        (
            "{{#each data.list}}{{#if id}}{{> @partial-block}}{{/if}}{{/each}}",
            "partials",
        ),
    ] {
        let fault = templates().render(template).unwrap_err();
        assert!(fault.to_lowercase().contains(part), "{template}: {fault}");
    }
}

/// A helper that had made its text before its length was looked at took gigabytes.
#[test]
fn costly_templates_over_large_data_are_rejected() {
    let large = json!({"t": "a".repeat(300_000), "a": vec![0; 100_000], "s": "b".repeat(60_000)});
    for template in [
        "{{replace t \"a\" t}}",
        "{{replace s \"b\" s}}",
        "{{join a t}}",
        "{{join a s}}",
        "{{append t t t t t t t t}}",
    ] {
        let fault = over(large.clone()).render(template).unwrap_err();
        assert!(
            fault.contains("too long") || fault.contains("too many steps"),
            "{template}: {fault}"
        );
    }

    let often = "{{contains t \"b\"}}".repeat(50);
    assert!(
        over(large)
            .render(&often)
            .unwrap_err()
            .contains("too many steps")
    );
}

/// To compare objects took no steps: a thousand items and fifty thousand members took 23 seconds.
#[test]
fn comparisons_are_paid_for() {
    let values = |members: usize| {
        let object: serde_json::Map<_, _> = (0..members)
            .map(|number| (number.to_string(), json!(number)))
            .collect();
        json!({"list": vec![0; 1_000], "object": object, "objects": [{"x": object.clone()}, 1], "other": {"x": 1}})
    };

    for compare in [
        "eq @root.object @root.object",
        "ne @root.object @root.object",
        "contains @root.objects @root.objects.0",
    ] {
        let each = format!("{{{{#each list}}}}{{{{#if ({compare})}}}}{{{{/if}}}}{{{{/each}}}}");
        let taken = |members| {
            let templates = over(values(members));
            let before = templates.steps.left();
            templates
                .render(&format!("{{{{#if ({compare})}}}}{{{{/if}}}}"))
                .unwrap();
            before - templates.steps.left()
        };

        let (little, much) = (taken(4_000), taken(16_000));
        assert!(
            (3 * little..5 * little).contains(&much),
            "{compare}: {little} and {much} steps"
        );

        let fault = over(values(16_000)).render(&each).unwrap_err();
        assert!(fault.contains("too many steps"), "{fault}");
    }

    let unlike = "{{#each list}}{{#if (eq @root.object @root.other)}}{{/if}}{{/each}}";
    assert_eq!(
        over(values(16_000)).render(unlike),
        Ok(String::new()),
        "lengths alone tell them apart"
    );
}

#[test]
fn parsing_is_paid_for() {
    let templates = over(json!({"a": 1}));
    let filled = (0..5_000)
        .take_while(|_| templates.render("{{a}}").is_ok())
        .count();

    assert!((500..2_000).contains(&filled), "{filled}");
    assert!(
        templates
            .render("{{a}}")
            .unwrap_err()
            .contains("too many steps"),
        "nothing more is read once they are used up"
    );
}

#[test]
fn costly_templates_are_rejected() {
    let many = json!({"a": vec![0; 3_000], "text": "x".repeat(MAX_OUTPUT_BYTES / 2 + 1)});
    for (template, part) in [
        ("x".repeat(MAX_TEMPLATE_BYTES) + "{{a}}", "bytes"),
        ("{{a}}".repeat(MAX_TAGS + 1), "tags"),
        (
            format!(
                "{{{{uppercase {}a{}}}}}",
                "(trim ".repeat(40),
                ")".repeat(40)
            ),
            "deep",
        ),
        ("{{#if a}}".repeat(100) + &"{{/if}}".repeat(100), "deep"),
        ("{{~ # if a}}".repeat(100), "deep"),
        (
            format!("{{{{#if b}}}}{}{{{{/if}}}}", "{{else if b}}".repeat(100)),
            "deep",
        ),
        (
            "{{#each a}}{{#each ../a}}{{/each}}{{/each}}".into(),
            "steps",
        ),
        (
            "{{#each a}}{{#if (eq (uppercase @root.text) 1)}}{{/if}}{{/each}}".into(),
            "steps",
        ),
        (
            "{{#with (lookup this \"a\")}}{{/with}}".repeat(100),
            "steps",
        ),
        ("{{append text text}}".into(), "too long"),
        (
            format!("{{{{a.{}}}}}", "b.".repeat(MAX_PATH_NAMES) + "b"),
            "deep",
        ),
        (
            format!(
                "{{{{#if (not a{})}}}}{{{{/if}}}}",
                "/b".repeat(MAX_PATH_NAMES)
            ),
            "deep",
        ),
        (
            format!("{{{{#if a{}}}}}{{{{/if}}}}", " a".repeat(MAX_PARAMETERS)),
            "parameters",
        ),
        (
            format!(
                "{{{{uppercase (append{})}}}}",
                " x=a".to_owned() + &" a".repeat(MAX_PARAMETERS)
            ),
            "parameters",
        ),
        ("{{text}}{{text}}".into(), "too long"),
    ] {
        let fault = over(many.clone()).render(&template).unwrap_err();
        assert!(
            fault.contains(part),
            "{}: {fault}",
            &template[..template.len().min(60)]
        );
    }
}

#[test]
fn validation_finds_errors_without_values() {
    for valid in [
        "plain",
        "{{a.b}} {{#each list}}{{this}}{{/each}} {{year}}",
        "{{uppercase (trim a)}}",
    ] {
        assert_eq!(validate(valid), Ok(()), "{valid}");
    }
    for (template, part) in [
        ("{{nonsense 1}}", "unknown helper 'nonsense'"),
        ("{{uppercase (nonsense a)}}", "unknown helper 'nonsense'"),
        (
            "{{#if a}}{{nonsense a}}{{/if}}",
            "unknown helper 'nonsense'",
        ),
        ("{{#nonsense}}{{/nonsense}}", "unknown helper 'nonsense'"),
        ("{{a", "syntax"),
        ("{{#if a}}", "line 1"),
        ("{{> a}}", "partials"),
    ] {
        let fault = validate(template).unwrap_err();
        assert!(fault.contains(part), "{template}: {fault}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_templates_do_not_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "{{", "}}", "{{{", "}}}", "{{#each ", "{{/each}}", "{{#if ", "{{/if}}", "{{else}}", "{{else if ", "{{^}}", "data", ".",
        "list", " ", "(", ")", "[0]", "@index", "../", "this", "\"x\"", "|", "as |a b|", "~", "&", "!", "--", "{{{{", "}}}}",
        "=", "uppercase ", "lookup ", "with ", "1", "\\", "é", "\n",
    ]), 0..24)) {
        let _ = templates().render(&pieces.concat());
    }
}
