//! Tests of `page`.

use super::*;

const ORIGIN: &str = "http://127.0.0.1:7243/integration";

fn read(query: &str) -> Result<Page, Vec<String>> {
    let mut errors = QueryErrors::default();
    let page = Page::read(&Parameters::parse(query, &mut errors), &mut errors);
    errors
        .into_result()
        .map(|()| page)
        .map_err(|rejection| rejection.messages())
}

fn links(query: &str, total: u64) -> Vec<(String, String)> {
    let header = read(query).unwrap().links(ORIGIN, query, total);
    let parts = header
        .split(", ")
        .map(|link| link.split_once(">; rel=").unwrap());
    let prefix = format!("<{ORIGIN}?");

    parts
        .map(|(url, rel)| {
            (
                rel.trim_matches('"').into(),
                url.strip_prefix(&prefix).unwrap().into(),
            )
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(relation, query)| ((*relation).to_owned(), (*query).to_owned()))
        .collect()
}

#[test]
fn without_parameters_it_is_the_first_ten() {
    assert_eq!(read(""), Ok(Page::default()));
    assert_eq!((Page::default().offset, Page::default().limit), (0, 10));
}

#[test]
fn a_page_number_counts_from_one_with_or_without_a_limit() {
    assert_eq!(
        read("page=1").unwrap(),
        Page {
            offset: 0,
            limit: 10,
            style: PageStyle::Number
        }
    );
    assert_eq!(
        read("page=3").unwrap(),
        Page {
            offset: 20,
            limit: 10,
            style: PageStyle::Number
        }
    );
    assert_eq!(
        read("limit=7&page=3").unwrap(),
        Page {
            offset: 14,
            limit: 7,
            style: PageStyle::Number
        }
    );
}

#[test]
fn limits_from_1_to_100_are_taken() {
    assert_eq!(read("limit=1").unwrap().limit, 1);
    assert_eq!(read("limit=100").unwrap().limit, 100);
    for limit in [
        "0",
        "101",
        "-1",
        "",
        "ten",
        "1.5",
        "%2B5",
        "+5",
        "99999999999999999999",
    ] {
        assert_eq!(
            read(&format!("limit={limit}")).unwrap_err().len(),
            1,
            "{limit}"
        );
    }

    assert_eq!(
        read("limit=0").unwrap_err(),
        ["'limit' must be a whole number from 1 to 100, but was '0'"]
    );
}

#[test]
fn a_start_out_of_range_says_what_would_be_right() {
    assert_eq!(
        read("offset=-1").unwrap_err(),
        ["'offset' must be a whole number from 0 to 9007199254740991, but was '-1'"]
    );
    assert_eq!(
        read("offset=").unwrap_err(),
        ["'offset' must be a whole number from 0 to 9007199254740991, but was ''"]
    );
    assert_eq!(
        read("page=0").unwrap_err(),
        ["'page' must be a whole number from 1 to 9007199254740991, but was '0'"]
    );
}

#[test]
fn offset_and_page_go_together_when_they_mean_the_same() {
    assert_eq!(
        read("offset=0&page=1").unwrap(),
        Page {
            offset: 0,
            limit: 10,
            style: PageStyle::Number
        }
    );
    assert_eq!(read("page=3&limit=7&offset=14").unwrap().offset, 14);
    let expected = "'page' begins at the offset 10, but 'offset' was 9; leave one of them out";
    assert_eq!(read("offset=9&page=2").unwrap_err(), [expected]);
    assert_eq!(read("limit=0&offset=x&page=0").unwrap_err().len(), 3);
    assert_eq!(read("limit=0&offset=9&page=2").unwrap_err().len(), 1);
    assert_eq!(
        links("offset=5&page=2&limit=5", 11),
        pairs(&[
            ("first", "page=1&limit=5"),
            ("prev", "page=1&limit=5"),
            ("next", "page=3&limit=5"),
            ("last", "page=3&limit=5"),
        ])
    );
}

#[test]
fn a_start_past_the_end_is_an_empty_page() {
    for query in [
        "page=9007199254740991&limit=100",
        "page=9007199254740991",
        "offset=9007199254740991",
    ] {
        let page = read(query).unwrap();
        assert!(!page.has_more(9_007_199_254_740_991), "{query}");
        assert_eq!(links(query, 15).len(), 3, "{query}");
    }
}

#[test]
fn more_follows_until_the_last_object_is_on_the_page() {
    let page = read("limit=10&offset=10").unwrap();
    assert_eq!(
        [0, 10, 20, 21].map(|total| page.has_more(total)),
        [false, false, false, true]
    );
}

#[test]
fn links_lead_to_the_neighbours_by_offset() {
    assert_eq!(
        links("limit=10&offset=10", 35),
        pairs(&[
            ("first", "limit=10&offset=0"),
            ("prev", "limit=10&offset=0"),
            ("next", "limit=10&offset=20"),
            ("last", "limit=10&offset=30"),
        ])
    );

    // An offset between pages: back to the start rather than below it, and last by multiples of
    // the limit.
    assert_eq!(
        links("offset=5", 20),
        pairs(&[
            ("first", "offset=0"),
            ("prev", "offset=0"),
            ("next", "offset=15"),
            ("last", "offset=10")
        ])
    );
}

#[test]
fn links_lead_to_the_neighbours_by_page_number() {
    assert_eq!(
        links("page=2&limit=5", 11),
        pairs(&[
            ("first", "page=1&limit=5"),
            ("prev", "page=1&limit=5"),
            ("next", "page=3&limit=5"),
            ("last", "page=3&limit=5"),
        ])
    );
}

#[test]
fn first_page_has_no_prev_and_last_page_no_next() {
    assert_eq!(
        links("", 20),
        pairs(&[
            ("first", "offset=0"),
            ("next", "offset=10"),
            ("last", "offset=10")
        ])
    );
    assert_eq!(
        links("offset=10", 20),
        pairs(&[
            ("first", "offset=0"),
            ("prev", "offset=0"),
            ("last", "offset=10")
        ])
    );
    assert_eq!(
        links("", 0),
        pairs(&[("first", "offset=0"), ("last", "offset=0")])
    );
    assert_eq!(
        links("page=1", 10),
        pairs(&[("first", "page=1"), ("last", "page=1")])
    );
}

#[test]
fn past_the_end_prev_is_the_last_page() {
    assert_eq!(
        links("offset=500", 25),
        pairs(&[
            ("first", "offset=0"),
            ("prev", "offset=20"),
            ("last", "offset=20")
        ])
    );
    assert_eq!(
        links("page=9", 25),
        pairs(&[("first", "page=1"), ("prev", "page=3"), ("last", "page=3")])
    );
    assert_eq!(
        links("page=9", 0),
        pairs(&[("first", "page=1"), ("prev", "page=1"), ("last", "page=1")])
    );
}

#[test]
fn links_keep_every_other_parameter_as_it_was_sent() {
    let query = "&name=a%2bb+c%20d&&o%66fset=10&ops=name:contains&flag&meta.x=%F0%9F%A6%80&";
    let first = "name=a%2bb+c%20d&offset=0&ops=name:contains&flag&meta.x=%F0%9F%A6%80";
    assert_eq!(links(query, 11).first(), pairs(&[("first", first)]).first());
}

#[test]
fn characters_that_would_break_the_header_are_encoded() {
    let header = Page::default().links(ORIGIN, "name=a>; rel=\"x\"\r\n<ü", 0);
    let query = "name=a%3E;%20rel=%22x%22%0D%0A%3C%C3%BC&offset=0";
    assert_eq!(
        header,
        format!("<{ORIGIN}?{query}>; rel=\"first\", <{ORIGIN}?{query}>; rel=\"last\"")
    );
}
