//! Words without double quotes: numbers, literals of other languages, and strings in single quotes.

use serde_json::Value;

/// The word as JSON.
pub(super) fn repair(word: &str) -> String {
    match word {
        "NaN" | "nan" | "Infinity" | "-Infinity" | "inf" | "-inf" | "undefined" | "None"
        | "nil" => "null".to_owned(),
        "True" => "true".to_owned(),
        "False" => "false".to_owned(),
        _ if serde_json::from_str::<Value>(word).is_ok() => word.to_owned(),
        _ => {
            // Python's literals may have a prefix.
            let text = word
                .strip_prefix(['u', 'b'])
                .filter(|word| word.starts_with('\''))
                .unwrap_or(word);
            let text = text
                .strip_prefix('\'')
                .and_then(|word| word.strip_suffix('\''))
                .unwrap_or(text);
            Value::from(text).to_string()
        }
    }
}
