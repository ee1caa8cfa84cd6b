//! What helpers render, and the errors of those that fail.

use crate::adapters::template::{
    tests::{over, templates},
    validate,
};
use serde_json::json;

#[test]
fn common_helpers_render_as_documented() {
    for (template, expected) in [
        (
            "{{uppercase \"ab\"}}{{lowercase \"AB\"}}{{capitalize \"ab\"}}{{trim \" a \"}}",
            "ABabAba",
        ),
        ("{{sanitize data.name}}", "a & \"b\" c"),
        (
            "{{replace \"a-b-c\" \"-\" \"+\"}} {{append \"a\" \"b\" 3}}",
            "a+b+c ab3",
        ),
        (
            "{{truncate \"añb c\" 2}} {{truncate \"ab\" 5 \"!\"}} {{ellipsis \"abc\" 1}}",
            "añ ab a…",
        ),
        (
            "{{join data.tags}} {{join data.tags \"|\"}} {{join \"a\"}}",
            "x, y, 3 x|y|3 a",
        ),
        (
            "{{default data.none \"?\"}}{{default data.yes \"?\"}}",
            "?true",
        ),
        (
            "{{#is data.tags.[2] \"3\"}}same{{else}}other{{/is}} {{isnt 1 2}}",
            "same true",
        ),
        (
            "{{#contains data.tags \"x\"}}in{{/contains}} {{contains \"abc\" \"bc\"}}",
            "in true",
        ),
        (
            "{{startsWith \"a\" \"ab\"}} {{endsWith \"a\" \"ab\"}}",
            "true false",
        ),
        (
            "{{#if (eq (uppercase \"a\") \"A\")}}yes{{/if}}{{#eq 1 1}} block{{/eq}}",
            "yes block",
        ),
        (
            "{{eq 1 1.0}} {{ne 1 \"1\"}} {{gt 2 1}} {{gte 1 1}} {{lt \"a\" \"b\"}} {{lte 2 1}}",
            "true true true true true false",
        ),
        (
            "{{and 1 0}} {{or 0 \"x\"}} {{not data.none}}",
            "false true true",
        ),
        (
            "{{len data.tags}} {{len \"añ\"}} {{len data.inner}} {{len 5}}",
            "3 2 1 0",
        ),
        (
            "{{lookup data.list.[1] \"id\"}} {{lookup data.tags 0}} {{lookup data.tags 9}}",
            "2 x ",
        ),
    ] {
        assert_eq!(
            templates().render(template).as_deref(),
            Ok(expected),
            "{template}"
        );
    }
}

#[test]
fn helpers_that_make_html_render_as_documented() {
    for (template, expected) in [
        (
            "<a{{attr href=\"x\" title='\"'}}>",
            "<a href=\"x\" title=\"&quot;\">",
        ),
        (
            "{{css \"a.css\"}}{{css href=\"b.css\" media=\"print\"}}",
            "<link type=\"text/css\" rel=\"stylesheet\" href=\"a.css\"><link type=\"text/css\" rel=\"stylesheet\" media=\"print\" href=\"b.css\">",
        ),
        (
            "{{js data.tags}}",
            "<script src=\"x\"></script>\n<script src=\"y\"></script>\n<script src=\"3\"></script>",
        ),
        (
            "{{ul data.tags class=\"t\"}}",
            "<ul class=\"t\"><li>x</li>\n<li>y</li>\n<li>3</li></ul>",
        ),
        (
            "{{#ol data.list}}{{@index}}{{/ol}}{{#ul data.none}}{{else}}none{{/ul}}",
            "<ol><li>0</li><li>1</li></ol>none",
        ),
    ] {
        assert_eq!(
            templates().render(template).as_deref(),
            Ok(expected),
            "{template}"
        );
    }
}

#[test]
fn other_helpers_render_as_documented() {
    for (template, expected) in [
        ("{{#some data.tags \"x\"}}yes{{else}}no{{/some}}", "yes"),
        (
            "{{#some data.tags \"isObject\"}}yes{{else}}no{{/some}}",
            "no",
        ),
        ("{{#some data.tags \"isNumber\"}}yes{{/some}}", "yes"),
        ("{{#withHash a=1 b=\"x\"}}{{a}}{{b}}{{/withHash}}", "1x"),
        (
            "{{#noop}}same{{/noop}}{{log \"x\"}}{{ok \"x\"}}{{bold \"x\"}}",
            "same",
        ),
        (
            "{{random 3 3}}{{replaceAll \"a.b.c\" \".\" \"-\"}}",
            "3a-b-c",
        ),
    ] {
        assert_eq!(
            templates().render(template).as_deref(),
            Ok(expected),
            "{template}"
        );
    }
}

#[test]
fn random_numbers_are_within_their_bounds_and_differ() {
    let template = "{{random 1 6}} ".repeat(100);
    let rolled = templates().render(&template).unwrap();
    let mut numbers: Vec<u8> = rolled
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    assert_eq!(numbers.len(), 100);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert!(templates().render("{{random 2 1}}").is_err());
}

#[test]
fn unsupported_helpers_are_refused_with_their_reason() {
    for (template, expected) in [
        (
            "{{read \"/etc/passwd\"}}",
            "helper 'read' is not supported: it reads files of the server",
        ),
        (
            "{{#markdown}}x{{/markdown}}",
            "helper 'markdown' is not supported: it renders Markdown",
        ),
        (
            "{{uppercase (embed \"x\")}}",
            "helper 'embed' is not supported: it reads files of the server",
        ),
        ("{{nonsense 1}}", "unknown helper 'nonsense'"),
    ] {
        assert_eq!(validate(template).unwrap_err(), expected);
    }
}

#[test]
fn helpers_of_the_collection_render_as_documented() {
    let values = json!({
        "list": ["b", "a", "c"], "numbers": [1, 2, 3, 4], "items": [{"n": {"v": 2}, "k": "x"}, {"n": {"v": 1}, "k": "y"}],
        "json": "{\"a\": [1, 2]}", "text": "job=nightly-7 failed", "at": 1_764_266_400, "object": {"a": 1, "b": "c"},
    });
    for (template, expected) in [
        (
            "{{first list}} {{first list 2}} {{last list}} {{last list 2}} {{itemAt list 1}} {{itemAt list -1}}",
            "b b,a c a,c a c",
        ),
        (
            "{{after list 1}} {{before list 1}} {{reverse list}} {{reverse 'abc'}} {{sort list}}",
            "a,c b,a c,a,b cba a,b,c",
        ),
        (
            "{{pluck items 'n.v'}} {{pluck (sortBy items 'n.v') 'k'}} {{unique '[1,1,2]'}} {{length list}}",
            "2,1 y,x 1,2 3",
        ),
        (
            "{{split 'a,b'}} {{join (split 'a-b' '-') '+'}} {{isArray list}} {{isEmpty ''}} {{arrayify 'x'}}",
            "a,b a+b true true x",
        ),
        (
            "{{#forEach list}}{{this}}{{@index}}{{#unless @last}},{{/unless}}{{/forEach}}",
            "b0,a1,c2",
        ),
        (
            "{{#withFirst list 2}}{{this}}{{/withFirst}}|{{#withGroup numbers 3}}{{this}};{{/withGroup}}",
            "ba|1,2,3;4;",
        ),
        (
            "{{#eachIndex list}}{{item}}{{index}}{{/eachIndex}}|{{#inArray list 'z'}}yes{{else}}no{{/inArray}}",
            "b0a1c2|no",
        ),
        (
            "{{#filter items 'x' property='k'}}{{k}}{{n.v}}{{else}}none{{/filter}}",
            "x2",
        ),
        (
            "{{add 1 2}} {{add '1' 2}} {{add 'a' 'b'}} {{subtract 5 2}} {{multiply 2 1.5}} {{divide 1 4}} {{modulo 7 4}}",
            "3 3 ab 3 3 0.25 3",
        ),
        (
            "{{round 2.5}} {{ceil 2.1}} {{floor 2.9}} {{abs -3}} {{sum numbers}} {{avg numbers}} {{sum 1 '2' numbers}}",
            "3 3 2 3 10 2.5 13",
        ),
        (
            "{{toFixed 1.005 1}} {{toInt '42px'}} {{toFloat '1.5s'}} {{toPrecision 1.1234 2}} {{toExponential 1234 1}}",
            "1.0 42 1.5 1.1 1.2e+3",
        ),
        (
            "{{bytes 13661855}} {{bytes 'foo'}} {{toAbbr 123456789}} {{addCommas 1234567}} {{addCommas -1234.5}}",
            "13.66 MB 3 B 123.46m 1,234,567 -1,234.5",
        ),
        (
            "{{phoneNumber 8005551212}} {{ordinalize 22}} {{inflect 2 'alert' 'alerts' true}}",
            "(800) 555-1212 22nd 2 alerts",
        ),
        (
            "{{compare 2 '>' 1}} {{compare 1 '==' '1'}} {{compare 1 '===' '1'}} {{compare 'a' 'typeof' 'string'}}",
            "true true false true",
        ),
        (
            "{{#gt 3 compare=2}}more{{/gt}} {{#unlessEq 1 compare=2}}other{{/unlessEq}} {{#ifEven 4}}even{{/ifEven}}",
            "more other even",
        ),
        (
            "{{neither 0 ''}} {{isTruthy 1}} {{isFalsey 1}} {{has object 'a'}} {{has 'abc' 'b'}} {{ifOdd 2}}",
            "true true false true true false",
        ),
        (
            "{{JSONstringify object}} {{lookup (JSONparse json) 'a'}} {{#JSONparse json}}{{a.[1]}}{{/JSONparse}}",
            "{\"a\":1,\"b\":\"c\"} 1,2 2",
        ),
        (
            "{{get 'n.v' items.[0]}} {{#get 'a' object}}{{this}}{{/get}} {{typeOf list}} {{hasOwn object 'z'}} {{isObject object}}",
            "2 1 array false true",
        ),
        (
            "{{JSONstringify (pick 'a' object)}} {{JSONstringify (extend object d=1)}} {{toPath 'a' 1 'b'}}",
            "{\"a\":1} {\"a\":1,\"b\":\"c\",\"d\":1} a.1.b",
        ),
        (
            r"{{itemAt (regexMatch text 'job=(\S+)') 1}} {{{itemAt (regexMatch text 'JOB=(\w+)' 'i') 1}}}",
            "nightly-7 nightly",
        ),
        (
            r#"{{test text 'fail(?=ed)'}} {{test text (toRegex '^JOB' flags='i')}} {{isMatch 'a.js' '*.js'}} {{match list 'a'}}"#,
            "true true true a",
        ),
        (
            "{{titleize 'this is-title_case'}} {{capitalizeAll 'ab cd'}} {{sentence 'HELLO. you'}}",
            "This Is Title Case Ab Cd Hello. You",
        ),
        (
            "{{camelcase 'foo bar baz'}} {{pascalcase 'foo bar'}} {{snakecase 'a-b c'}} {{dashcase 'a b'}} {{dotcase 'a b'}} {{pathcase 'a b'}}",
            "fooBarBaz FooBar a_b_c a-b a.b a/b",
        ),
        (
            "{{hyphenate 'a b'}} {{plusify 'a b'}} {{chop '_ab-'}} {{occurrences 'foo bar foo' 'foo'}} {{prepend 'b' 'a'}}",
            "a-b a+b ab 2 ab",
        ),
        (
            "{{remove 'a-b-c' '-'}} {{removeFirst 'a-b-c' '-'}} {{replaceFirst 'aa' 'a' 'b'}} {{trimLeft ' a'}}{{trimRight 'b '}} {{truncateWords 'a b c' 2}}",
            "abc ab-c ba ab a b…",
        ),
        (
            "{{unix-timezone at 'UTC' 'YYYY-MM-DD HH:mm'}} {{moment '2025-11-27T18:00:00Z' 'MMM D, h:mm a'}} {{year}} {{moment 'now' 'HH:mm'}}",
            "2025-11-27 18:00 Nov 27, 6:00 pm 2026 15:04",
        ),
        (
            "{{encodeURI 'a b/c'}} {{decodeURI 'a%20b+c'}} {{stripQuerystring 'http://x/a?b'}} {{stripProtocol 'http://x/a'}} {{lookup (urlParse 'http://x:8/a?b=1') 'host'}}",
            "a%20b%2Fc a b+c http://x/a //x/a x:8",
        ),
        (
            "{{urlResolve 'http://x/a/b' 'c'}} {{basename '/a/b.txt'}} {{dirname '/a/b.txt'}} {{extname 'b.txt'}} {{stem 'b.txt'}} {{segments 'a/b/c' 1 2}}",
            "http://x/a/c b.txt /a .txt b b",
        ),
    ] {
        assert_eq!(
            over(values.clone()).render(template).as_deref(),
            Ok(expected),
            "{template}"
        );
        assert_eq!(validate(template), Ok(()), "{template}");
    }
}

#[test]
fn failing_helpers_name_themselves_and_the_argument() {
    for (template, expected) in [
        (
            "{{add 1 'x'}}",
            "helper 'add': argument 2 must be a number, but is 'x'",
        ),
        ("{{divide 1 0}}", "helper 'divide': division by zero"),
        ("{{JSONparse '{'}}", "helper 'JSONparse': not JSON"),
        (
            "{{unix-timezone 1 'Mars' 'YYYY'}}",
            "unknown time zone 'Mars'",
        ),
        ("{{moment 'soon' 'YYYY'}}", "'soon' is not a date"),
        ("{{regexMatch 'a' '('}}", "invalid regular expression"),
        ("{{compare 1 '~' 2}}", "invalid operator '~'"),
    ] {
        let fault = templates().render(template).unwrap_err();
        assert!(fault.contains(expected), "{template}: {fault}");
    }
}
