//! A source file with everything blanked that is not product code: comments, literals and tests.
//! Line numbers stay the same.

/// A file of the program.
pub(crate) struct Source {
    /// As it is called in messages: `src/http/body.rs`.
    pub(crate) name: String,
    /// As it is written.
    pub(crate) text: String,
    /// The same with blanks for comments, literals and what stands under `#[cfg(test)]`.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        // A test module in a file of its own says `#[cfg(test)]` in the file that declares it.
        let only_tests = ["/tests.rs", "/fuzzing.rs"]
            .iter()
            .any(|end| name.ends_with(end))
            || name.contains("/tests/");
        let code = if only_tests {
            blanked(text)
        } else {
            without_tests(&without_literals(text))
        };

        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            code,
        }
    }

    /// The layer: the first name below `src`.
    pub(crate) fn layer(&self) -> &str {
        let below = self.name.strip_prefix("src/").unwrap_or(&self.name);
        below
            .split('/')
            .next()
            .unwrap_or(below)
            .trim_end_matches(".rs")
    }

    /// Whether the file is a module, such as `store/local`, or below it.
    pub(crate) fn is_in(&self, module: &str) -> bool {
        let name = self.name.trim_end_matches(".rs");
        let rest = name
            .strip_prefix("src/")
            .and_then(|name| name.strip_prefix(module));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// How many modules the file is below the root: 1 for `src/http.rs`, 2 for `src/http/body.rs`.
    pub(crate) fn depth(&self) -> usize {
        if matches!(self.layer(), "lib" | "main") {
            0
        } else {
            self.name.matches('/').count()
        }
    }

    pub(crate) fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    /// Where a word stands as a whole: neither in the middle of another nor, with `prefix`, at the
    /// end of one.
    pub(crate) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_part = |character: char| character.is_alphanumeric() || character == '_';
        self.code
            .match_indices(word)
            .map(|(offset, _)| offset)
            .filter(move |offset| {
                let before = self.code[..*offset].chars().next_back();
                let after = self.code[offset + word.len()..].chars().next();
                let open_end = word.ends_with(|last: char| !is_part(last));
                !before.is_some_and(is_part) && (open_end || !after.is_some_and(is_part))
            })
    }
}

fn blanked(text: &str) -> String {
    text.chars()
        .map(|character| if character == '\n' { '\n' } else { ' ' })
        .collect()
}

/// Blanks comments, strings and character literals.
fn without_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = literal_length(rest, code.chars().next_back());
        match length {
            Some(length) => code.push_str(&blanked(&rest[..length])),
            None => code.push(first),
        }
        rest = &rest[length.unwrap_or(first.len_utf8())..];
    }
    code
}

/// The length of the comment or literal at the start of a text.
fn literal_length(text: &str, before: Option<char>) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }

    if text.starts_with("/*") {
        return Some(block_comment_length(text));
    }

    if !before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
        let body = text.strip_prefix('b').unwrap_or(text);
        let raw = body
            .strip_prefix('r')
            .map(|body| (body.trim_start_matches('#'), body));

        if let Some((quoted, hashed)) = raw.filter(|(quoted, _)| quoted.starts_with('"')) {
            let end = format!("\"{}", "#".repeat(hashed.len() - quoted.len()));
            let opening = text.len() - quoted.len() + 1;
            return Some(
                text[opening..]
                    .find(&end)
                    .map_or(text.len(), |found| opening + found + end.len()),
            );
        }
    }

    if text.starts_with('"') {
        return Some(quoted_length(text, '"'));
    }

    let mut characters = text.strip_prefix('\'')?.chars();
    // A lifetime has no closing quote behind its first character.
    match (characters.next()?, characters.next()) {
        ('\\', _) | (_, Some('\'')) => Some(quoted_length(text, '\'')),
        _ => None,
    }
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (offset, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return offset + 1,
            _ => {}
        }
    }
    text.len()
}

fn block_comment_length(text: &str) -> usize {
    let (mut depth, mut offset) = (0, 0);
    while offset < text.len() {
        let (step, change) = match &text.as_bytes()[offset..] {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        offset += step;
        depth += change;
        if depth == 0 {
            return offset;
        }
    }

    text.len()
}

/// Attributes of items that are not part of the product.
const TEST_ATTRIBUTES: [&str; 2] = ["#[cfg(test)]", "#[cfg(any(test, fuzzing))]"];

/// Blanks each item under one of [`TEST_ATTRIBUTES`]: up to its semicolon, over its braces, or to
/// the end of those that it is in.
fn without_tests(code: &str) -> String {
    let mut kept = code.to_owned();
    for attribute in TEST_ATTRIBUTES {
        while let Some(start) = kept.find(attribute) {
            let end = item_end(&kept, start + attribute.len());
            let blanks = blanked(&kept[start..end]);
            kept.replace_range(start..end, &blanks);
        }
    }
    kept
}

fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, character) in code[start..].char_indices() {
        match character {
            '{' => depth += 1,
            // A field or member stands last in its braces.
            '}' if depth == 0 => return start + offset,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(character, '}' | ';') {
            return start + offset + 1;
        }
    }

    code.len()
}

#[test]
fn comments_literals_and_tests_are_no_code() {
    let text = r##"
// sled
/* sled /* sled */ sled */
const A: &str = "sled \" sled"; const B: &[u8] = br#"sled " sled"#; const C: char = '"'; fn d<'sle>(_: &'sle str) {}
#[cfg(test)]
mod tests { fn sled() { "}" } }
#[cfg(test)]
mod more;
struct Kept { #[cfg(test)] planted: sled::Db }
fn kept() {}
"##;
    let source = Source::new("src/a.rs", text);
    assert_eq!(source.words("sled").count(), 0, "{}", source.code);
    assert!(
        source.code.contains("fn kept() {}") && source.code.contains("fn d<'sle>"),
        "{}",
        source.code
    );
    assert_eq!(source.line(source.code.find("kept").unwrap()), 10);
}

#[test]
fn words_are_whole() {
    let source = Source::new("src/a.rs", "sled sledge bobsled my_sled sled::Db");
    assert_eq!(source.words("sled").collect::<Vec<_>>(), [0, 28]);
}
