//! How many values a JSON text holds, counted before it is parsed.
//!
//! A mebibyte of JSON may be one text or half a million numbers, and what it costs to parse, copy,
//! compare and write goes by the values. So a body may hold so many, whatever its length.

/// Values of a body: far more than anybody writes by hand, few enough that all commands on an
/// object are short.
pub const MOST_VALUES: usize = 50_000;

/// The parser refuses what is deeper as soon as it comes to it.
const DEEPEST: usize = 128;

/// How many there are, with members and items at every depth, in one pass; what is no JSON has some
/// number too. Nothing is counted behind what is too deep to be parsed.
pub fn count(json: &[u8]) -> usize {
    let (mut within, mut escaped, mut count, mut depth) = (false, false, 1_usize, 0_usize);
    for byte in json {
        match byte {
            b'"' if !escaped => within = !within,
            b',' if !within => count = count.saturating_add(1),
            // An empty list counts like one of one item.
            b'[' | b'{' if !within => {
                count = count.saturating_add(1);
                depth = depth.saturating_add(1);
            }
            b']' | b'}' if !within => depth = depth.saturating_sub(1),
            _ => {}
        }

        if depth > DEEPEST {
            break;
        }

        escaped = within && *byte == b'\\' && !escaped;
    }

    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_at_every_depth_and_not_in_texts() {
        for (json, expected) in [
            ("1", 1),
            ("[]", 2),
            (r#"{"a":1}"#, 2),
            (r#"{"a":[1, 2, {"b": null, "c": [3]}]}"#, 8),
            (r#"["a,b[{", "\",[\\", "x"]"#, 4),
            ("", 1),
        ] {
            assert_eq!(count(json.as_bytes()), expected, "{json}");
        }
        assert_eq!(count("[".repeat(100_000).as_bytes()), DEEPEST + 2);
    }
}
