//! Counts the values of a JSON text before it is parsed.
//!
//! A mebibyte of JSON may be one string or half a million numbers, and the cost to parse, copy,
//! compare and write it depends on the number of values. Bodies are therefore limited in values as
//! well as in bytes.

/// Maximum number of values in a body. Few enough to keep every command on an object short.
pub const MAX_VALUES: usize = 50_000;

/// Nesting depth at which the parser fails, so that the rest need not be counted.
const MAX_DEPTH: usize = 128;

/// Counts members and items at every depth in one pass, up to where the text nests too deeply to be
/// parsed. Invalid JSON yields some number.
pub fn count_values(json: &[u8]) -> usize {
    let (mut within, mut escaped, mut count, mut depth) = (false, false, 1_usize, 0_usize);
    for byte in json {
        match byte {
            b'"' if !escaped => within = !within,
            b',' if !within => count = count.saturating_add(1),
            // An empty list counts as one of one item.
            b'[' | b'{' if !within => {
                count = count.saturating_add(1);
                depth = depth.saturating_add(1);
            }
            b']' | b'}' if !within => depth = depth.saturating_sub(1),
            _ => {}
        }

        if depth > MAX_DEPTH {
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
            assert_eq!(count_values(json.as_bytes()), expected, "{json}");
        }
        assert_eq!(count_values("[".repeat(100_000).as_bytes()), MAX_DEPTH + 2);
    }
}
