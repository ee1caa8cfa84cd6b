//! Pagination: the requested page, and links to its neighbours.
//!
//! Accepts `limit` with `offset`, `limit` with `page` counted from 1, or both if they agree. Links
//! use the style of the request, and `page` if it has both.

use std::borrow::Cow;

use super::parameters::{Parameters, QueryErrors, quoted};

const DEFAULT_LIMIT: u64 = 10;
const HIGHEST_LIMIT: u64 = 100;
/// The largest integer that every JSON parser reads exactly. With the highest limit, the offset of
/// such a page still fits.
const MAX_START: u64 = (1 << 53) - 1;

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Number of objects before the page. May be past the end.
    pub offset: u64,
    /// Maximum number of objects, 1 to 100.
    pub limit: u64,
    /// The request's style.
    pub style: PageStyle,
}

/// How a request gives the start of its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStyle {
    /// `offset=20`, or neither.
    Offset,
    /// `page=3`.
    Number,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            offset: 0,
            limit: DEFAULT_LIMIT,
            style: PageStyle::Offset,
        }
    }
}

impl Page {
    /// Parses `limit`, `offset` and `page`.
    pub(super) fn read(parameters: &Parameters, errors: &mut QueryErrors) -> Self {
        let given_limit = read_limit(parameters, errors);
        let limit = given_limit.unwrap_or(DEFAULT_LIMIT);
        let offset = read_whole(parameters, "offset", 0, errors);
        let number = read_whole(parameters, "page", 1, errors);

        let start = number.map(|number| (number - 1).saturating_mul(limit));
        if let (Some(start), Some(offset)) = (start, offset)
            && start != offset
            && given_limit.is_some()
        {
            errors
                .add(format!("'page' begins at the offset {start}, but 'offset' was {offset}; leave one of them out"));
        }

        match start {
            Some(offset) => Self {
                offset,
                limit,
                style: PageStyle::Number,
            },
            None => Self {
                offset: offset.unwrap_or(0),
                limit,
                style: PageStyle::Offset,
            },
        }
    }

    /// Whether a list of `total` objects continues after this page.
    pub fn has_more(&self, total: u64) -> bool {
        self.offset.saturating_add(self.limit) < total
    }

    /// The value of a `Link` header (RFC 8288) with those of first, prev, next and last that exist.
    ///
    /// `url` is the absolute or relative URL without its query, `raw_query` the request's query,
    /// whose other parameters are kept unchanged.
    pub fn links(&self, url: &str, raw_query: &str, total: u64) -> String {
        let last = total.saturating_sub(1) / self.step() * self.step();
        let prev = if self.offset >= total {
            last
        } else {
            self.offset.saturating_sub(self.limit)
        };

        let next = self.offset.saturating_add(self.limit);
        let link = |relation, offset| {
            format!(
                "<{url}?{}>; rel=\"{relation}\"",
                self.query_for(offset, raw_query)
            )
        };

        let mut links = vec![link("first", 0)];
        links.extend((self.offset > 0).then(|| link("prev", prev)));
        links.extend(self.has_more(total).then(|| link("next", next)));
        links.push(link("last", last));

        links.join(", ")
    }

    /// The limit, at least 1: the fields are public, and a limit of 0 must not divide by zero.
    fn step(&self) -> u64 {
        self.limit.max(1)
    }

    /// The request's query with another start, in path of its own or at the end.
    fn query_for(&self, offset: u64, raw_query: &str) -> String {
        let (name, value) = match self.style {
            PageStyle::Offset => ("offset", offset),
            PageStyle::Number => ("page", offset / self.step() + 1),
        };

        let start = format!("{name}={value}");
        let mut pairs: Vec<Cow<'_, str>> = Vec::new();
        let mut placed = false;

        for pair in raw_query.split('&').filter(|pair| !pair.is_empty()) {
            // The offset would contradict the other page number.
            if self.style == PageStyle::Number && is_named(pair, "offset") {
                continue;
            }
            if !is_named(pair, name) {
                pairs.push(fit_for_link(pair));
            } else if !placed {
                pairs.push(Cow::Borrowed(&start));
                placed = true;
            }
        }

        if !placed {
            pairs.push(Cow::Borrowed(&start));
        }

        pairs.join("&")
    }
}

fn is_named(pair: &str, name: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .is_some_and(|(known, _)| known == name)
}

/// Encodes characters that are invalid in URLs, which some clients send. In a header they would end
/// the link early or make it invalid.
fn fit_for_link(pair: &str) -> Cow<'_, str> {
    let unfit = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'<' | b'>' | b'"');
    if !pair.bytes().any(unfit) {
        return Cow::Borrowed(pair);
    }

    let encode = |byte: u8| {
        if unfit(byte) {
            format!("%{byte:02X}")
        } else {
            char::from(byte).to_string()
        }
    };

    Cow::Owned(pair.bytes().map(encode).collect())
}

fn read_limit(parameters: &Parameters, errors: &mut QueryErrors) -> Option<u64> {
    let Some(value) = parameters.get("limit") else {
        return Some(DEFAULT_LIMIT);
    };
    let limit = whole_number(value).filter(|limit| (1..=HIGHEST_LIMIT).contains(limit));
    if limit.is_none() {
        errors.add(format!(
            "'limit' must be a whole number from 1 to {HIGHEST_LIMIT}, but was {}",
            quoted(value)
        ));
    }
    limit
}

fn read_whole(
    parameters: &Parameters,
    name: &str,
    lowest: u64,
    errors: &mut QueryErrors,
) -> Option<u64> {
    let value = parameters.get(name)?;
    let number = whole_number(value).filter(|number| (lowest..=MAX_START).contains(number));
    if number.is_none() {
        errors.add(format!(
            "'{name}' must be a whole number from {lowest} to {MAX_START}, but was {}",
            quoted(value)
        ));
    }
    number
}

/// Only digits, so that `+1` is refused.
fn whole_number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
