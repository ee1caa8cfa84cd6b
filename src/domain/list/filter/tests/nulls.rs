//! What may be null, and who asks for it.

use super::{matches, read};

#[test]
fn null_can_be_asked_for_where_it_may_be() {
    let none =
        r#"{"resolved": null, "resolvedby": null, "response": null, "name": "null", "tinyId": 1}"#;
    let some = r#"{"resolved": 5, "resolvedby": "null", "response": {"body": null}, "name": "x", "tinyId": 1}"#;

    for name in ["resolved", "resolvedby", "response"] {
        let (equal, unequal) = (format!("{name}=null"), format!("{name}=null&ops={name}:ne"));
        assert_eq!(
            (matches(&equal, none), matches(&equal, some)),
            (true, false),
            "{equal}"
        );
        assert_eq!(
            (matches(&unequal, none), matches(&unequal, some)),
            (false, true),
            "{unequal}"
        );
    }

    assert!(!matches("resolvedby=null&ops=resolvedby:contains", none));
    assert!(matches("resolvedby=null&ops=resolvedby:contains", some));
    assert!(matches("response.body=null", some));
    assert!(matches("name=null", none), "a text that is always there");
    assert_eq!(
        read("resolved=nil").unwrap_err(),
        ["'resolved' must be a number, or null, but was 'nil'"]
    );
    assert_eq!(
        read("resolved=null&ops=resolved:gt").unwrap_err(),
        ["'resolved' must be a number, but was 'null'"]
    );
    assert_eq!(
        read("tinyId=null").unwrap_err(),
        ["'tinyId' must be a number, but was 'null'"]
    );
}
