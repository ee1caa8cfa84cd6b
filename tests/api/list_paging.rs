//! `limit`, `offset`, `page`, `has_more`, `total_count` and `Link`.

use crate::{callers::Caller, server::TestServer};
use serde_json::{Value, json};

/// An account that has so many integrations, named by their numbers.
fn with(count: u64) -> (TestServer, Caller) {
    let server = TestServer::start();
    let account = server.account("ops");
    for number in 1..=count {
        account.created(&number.to_string());
    }
    (server, account)
}

/// The numbers on the page, and whether more follow.
fn page(account: &Caller, query: &str) -> (Vec<u64>, bool) {
    let list = account.list(query).assert_status(200).json();
    let numbers = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["tinyId"].as_u64().unwrap());
    (numbers.collect(), list["has_more"].as_bool().unwrap())
}

/// The links by their relation, without the address before the query.
fn links(account: &Caller, query: &str) -> Vec<(String, String)> {
    let answer = account.list(query).assert_status(200);
    let links = answer.header("link").unwrap().split(", ").map(|link| {
        let (url, relation) = link
            .strip_prefix('<')
            .unwrap()
            .split_once(">; rel=")
            .unwrap();
        let (address, query) = url.split_once('?').unwrap();
        assert!(
            address.starts_with("http://127.0.0.1:") && address.ends_with("/integration"),
            "{url}"
        );
        (relation.trim_matches('"').to_owned(), query.to_owned())
    });

    links.collect()
}

#[test]
fn limit_and_offset_select_the_page() {
    let (_server, account) = with(12);
    for (query, numbers, more) in [
        ("", 1..=10, true),
        ("limit=12", 1..=12, false),
        ("limit=100", 1..=12, false),
        ("limit=1", 1..=1, true),
        ("limit=5&offset=5", 6..=10, true),
        ("limit=5&offset=7", 8..=12, false),
        ("offset=3", 4..=12, false),
        ("offset=11", 12..=12, false),
    ] {
        assert_eq!(page(&account, query), (numbers.collect(), more), "{query}");
    }
}

#[test]
fn page_counts_from_one() {
    let (_server, account) = with(12);
    for (query, numbers, more) in [
        ("page=1", 1..=10, true),
        ("page=2", 11..=12, false),
        ("page=1&limit=5", 1..=5, true),
        ("page=3&limit=5", 11..=12, false),
        ("page=4&limit=3", 10..=12, false),
    ] {
        assert_eq!(page(&account, query), (numbers.collect(), more), "{query}");
    }
}

#[test]
fn offset_past_the_end_returns_an_empty_page() {
    let (_server, account) = with(3);
    for query in [
        "offset=3",
        "offset=1000",
        "page=2",
        "page=9007199254740991",
        "offset=9007199254740991",
    ] {
        for filter in ["", "&tinyId=0&ops=tinyId:gt", "&sort=name"] {
            let query = format!("{query}{filter}");
            let expected = json!({"data": [], "has_more": false, "total_count": 3});
            assert_eq!(
                account.list(&query).assert_status(200).json(),
                expected,
                "{query}"
            );
        }
    }
}

#[test]
fn paging_values_out_of_range_are_refused() {
    let (_server, account) = with(0);
    for limit in [
        "0",
        "101",
        "-1",
        "",
        "ten",
        "1.5",
        "%2B5",
        "99999999999999999999",
    ] {
        account
            .list(&format!("limit={limit}"))
            .assert_error(400, &["'limit' must be a whole number from 1 to 100"]);
    }

    for offset in [
        "-1",
        "",
        "x",
        "0.5",
        "9007199254740992",
        "18446744073709551616",
        "999999999999999999999999",
    ] {
        account.list(&format!("offset={offset}")).assert_error(
            400,
            &["'offset' must be a whole number from 0 to 9007199254740991"],
        );
    }

    for number in ["0", "-1", "", "one", "999999999999999999999999"] {
        account.list(&format!("page={number}")).assert_error(
            400,
            &["'page' must be a whole number from 1 to 9007199254740991"],
        );
    }
}

#[test]
fn contradictory_offset_and_page_are_refused() {
    let (_server, account) = with(5);
    let answer = account.list("limit=2&offset=2&page=2").assert_status(200);
    let links = answer.header("link").unwrap();

    assert!(
        links.contains("?limit=2&page=3>; rel=\"next\"") && !links.contains("offset"),
        "{links}"
    );
    assert_eq!(page(&account, "limit=2&offset=2&page=2").0, [3, 4]);

    let message = "'page' begins at the offset 2, but 'offset' was 3; leave one of them out";
    account
        .list("limit=2&offset=3&page=2")
        .assert_error(400, &[message]);
}

#[test]
fn has_more_and_total_count_respect_filters() {
    let (_server, account) = with(12);
    let query = "tinyId=4&ops=tinyId:gt&limit=4";
    let list = account.list(query).json();

    assert_eq!(
        (&list["has_more"], &list["total_count"]),
        (&json!(true), &json!(8))
    );
    assert_eq!(page(&account, query).0, [5, 6, 7, 8]);
    assert_eq!(
        page(&account, &format!("{query}&offset=4")),
        (vec![9, 10, 11, 12], false)
    );
}

#[test]
fn paging_returns_each_object_once() {
    let (_server, account) = with(23);
    for query in [
        "limit=4",
        "limit=4&sort=-createdAt",
        "limit=4&enabled=true",
        "limit=4&sort=type&enabled=1",
    ] {
        let mut seen: Vec<u64> = Vec::new();
        loop {
            let (numbers, more) = page(&account, &format!("{query}&offset={}", seen.len()));
            seen.extend(numbers);
            if !more {
                break;
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=23).collect::<Vec<_>>(), "{query}");
    }
}

#[test]
fn next_links_lead_to_the_end() {
    let (_server, account) = with(7);
    let (mut query, mut seen) = ("limit=3&enabled=true".to_owned(), Vec::new());
    loop {
        seen.extend(page(&account, &query).0);
        match links(&account, &query)
            .into_iter()
            .find(|(relation, _)| relation == "next")
        {
            Some((_, next)) => query = next,
            None => break,
        }
    }

    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn link_has_first_prev_next_and_last() {
    let (_server, account) = with(11);
    let expected = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(relation, query)| ((*relation).into(), (*query).into()))
            .collect()
    };

    assert_eq!(
        links(&account, "limit=4&offset=4&enabled=true"),
        expected(&[
            ("first", "limit=4&offset=0&enabled=true"),
            ("prev", "limit=4&offset=0&enabled=true"),
            ("next", "limit=4&offset=8&enabled=true"),
            ("last", "limit=4&offset=8&enabled=true"),
        ])
    );
    assert_eq!(
        links(&account, "page=2&limit=4"),
        expected(&[
            ("first", "page=1&limit=4"),
            ("prev", "page=1&limit=4"),
            ("next", "page=3&limit=4"),
            ("last", "page=3&limit=4"),
        ])
    );
}

#[test]
fn first_page_has_no_prev_and_last_page_no_next() {
    let (_server, account) = with(11);
    let relations = |query| {
        links(&account, query)
            .into_iter()
            .map(|(relation, _)| relation)
            .collect::<Vec<_>>()
    };
    assert_eq!(relations(""), ["first", "next", "last"]);
    assert_eq!(relations("offset=10"), ["first", "prev", "last"]);
    assert_eq!(relations("limit=100"), ["first", "last"]);
    assert_eq!(relations("name=none"), ["first", "last"]);
}

#[test]
fn link_keeps_filters_verbatim() {
    let (_server, account) = with(1);
    let links = links(&account, "name=a%2Bb+c&ops=name:contains&sort=-name");
    assert_eq!(
        links[0].1,
        "name=a%2Bb+c&ops=name:contains&sort=-name&offset=0"
    );
}

#[test]
fn page_of_a_hundred_is_complete() {
    let (_server, account) = with(101);
    let (numbers, more) = page(&account, "limit=100");
    assert_eq!((numbers.len(), more), (100, true));
    assert_eq!(
        account.list("limit=100&page=2").json()["data"][0]["tinyId"],
        Value::from(101)
    );
}

#[test]
fn link_uses_the_forwarded_base_url() {
    let server = TestServer::start();
    let account = server.account("ops");
    let first = |account: &Caller| {
        let answer = account.list("").assert_status(200);
        answer
            .header("link")
            .unwrap()
            .split_once('?')
            .unwrap()
            .0
            .to_owned()
    };

    assert_eq!(
        first(&account.with("Host", "localhost:9")),
        "<http://localhost:9/integration"
    );

    let proxied = account
        .with("X-Forwarded-Host", "alerts.example")
        .with("X-Forwarded-Proto", "https");

    assert_eq!(first(&proxied), "<https://alerts.example/integration");
    let elsewhere = proxied
        .with("X-Forwarded-Port", "8443")
        .with("X-Forwarded-Prefix", "/pager");

    assert_eq!(
        first(&elsewhere),
        "<https://alerts.example:8443/pager/integration"
    );

    let nonsense = account
        .with("Host", "localhost")
        .with("X-Forwarded-Host", "a>; rel=\"x\"")
        .with("X-Forwarded-Prefix", "//b");

    assert_eq!(first(&nonsense), "<http://localhost/integration");
}

#[test]
fn link_without_a_host_is_relative() {
    let server = TestServer::start();
    let mut connection = crate::connection::Connection::open(&server);
    connection.send("GET /integration HTTP/1.0\r\nAuthorization: ops\r\n\r\n");

    let answer = connection.receive();
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("link")
            .unwrap()
            .starts_with("</integration?offset=0>; rel=\"first\""),
        "{answer:?}"
    );
}

#[test]
fn overlong_link_is_omitted() {
    let server = TestServer::start();
    let account = server.account("ops");
    let link = |length: usize| {
        let answer = account
            .list(&format!("name={}", "x".repeat(length)))
            .assert_status(200);
        answer.header("link").map(str::len)
    };
    assert!(link(1_000).is_some_and(|length| length < 3_072));
    assert_eq!(link(2_000), None);
}

/// A page of a hundred large objects takes longer to put together than whoever is served by the
/// same thread should wait; it is put together elsewhere, and is the same.
#[test]
fn page_of_large_objects_is_exact() {
    let server = TestServer::start();
    let account = server.account("ops");
    let body = |number: usize| {
        json!({"name": format!("n{number}"), "type": "email", "destination_ids": [],
            "meta": {"number": number, "text": "x".repeat(300_000)}})
    };

    let objects: Vec<_> = (0..6)
        .map(|number| account.created_from(body(number)))
        .collect();

    for (query, expected) in [
        ("limit=6", vec![0, 1, 2, 3, 4, 5]),
        ("limit=3&offset=2", vec![2, 3, 4]),
        ("limit=4&sortdirection=DESC", vec![5, 4, 3, 2]),
        ("limit=5&sort=-meta.number", vec![5, 4, 3, 2, 1]),
        ("limit=5&meta.number=3&ops=meta.number:gte", vec![3, 4, 5]),
    ] {
        for _ in 0..2 {
            let answer = account.list(query).assert_status(200).json();
            let expected: Vec<_> = expected
                .iter()
                .map(|number| objects[*number].clone())
                .collect();
            assert_eq!(answer["data"].as_array().unwrap(), &expected, "{query}");
        }
    }
}
