//! Words that are reserved for one layer or module: using them elsewhere bypasses it.

use super::{assert_none, source::Source, sources};

struct Rule {
    words: &'static [&'static str],
    /// Layers and modules that may use them.
    places: &'static [&'static str],
    instead: &'static str,
}

const RULES: [Rule; 6] = [
    Rule {
        words: &["sled"],
        // The value type shares the engine's buffers.
        places: &["store/local", "store/entries"],
        instead: "use the store, and within it `local`",
    },
    Rule {
        words: &[
            "actix_web",
            "actix_cors",
            "actix_http",
            "actix_service",
            "actix_server",
        ],
        places: &["http", "app", "cli"],
        instead: "move it to http",
    },
    Rule {
        words: &["actix_rt"],
        places: &["http", "smtp", "app", "cli"],
        instead: "move connections and tasks to http, smtp or app",
    },
    Rule {
        words: &["Utc::now", "Local::now", "Instant::now", "SystemTime::now"],
        places: &["clock"],
        instead: "take a Clock",
    },
    Rule {
        words: &[
            "env::var",
            "env::vars",
            "env::var_os",
            "env::vars_os",
            "env::set_var",
            "dotenvy",
        ],
        places: &["config"],
        instead: "make it a setting",
    },
    Rule {
        words: &[
            "nanoid!",
            "nanoid::nanoid",
            "nanoid::format",
            "nanoid::rngs",
            "getrandom",
            "rand",
            "RandomState",
        ],
        // A password's salt is drawn by argon2 itself, in `hash_password`; the seed of nothing else
        // could set it.
        places: &["ids"],
        instead: "take Ids",
    },
];

fn violations(source: &Source) -> Vec<String> {
    let foreign = RULES
        .iter()
        .filter(|rule| !rule.places.iter().any(|place| source.is_in(place)));
    let said = foreign.flat_map(|rule| rule.words.iter().map(move |word| (rule, *word)));

    said.flat_map(|(rule, word)| source.words(word).map(move |offset| (rule, word, offset)))
        .map(|(rule, word, offset)| {
            let (name, line, places) = (&source.name, source.line(offset), rule.places.join(", "));
            format!(
                "{name}:{line}: '{word}' is reserved for {places}; {}",
                rule.instead
            )
        })
        .collect()
}

#[test]
fn reserved_words_stay_in_their_layer() {
    assert_none(&sources().iter().flat_map(violations).collect::<Vec<_>>());
}

#[test]
fn every_rule_matches_something() {
    let sources = sources();
    for rule in &RULES {
        let at_home = sources
            .iter()
            .filter(|source| rule.places.iter().any(|place| source.is_in(place)));
        let said = at_home
            .flat_map(|source| rule.words.iter().flat_map(|word| source.words(word)))
            .count();

        assert!(
            said > 0,
            "none of {:?} is used in {:?}: the rule is obsolete",
            rule.words,
            rule.places
        );
    }
}

#[test]
fn planted_words_are_found() {
    for (name, code, line) in [
        ("src/service/lists.rs", "fn f(_: sled::Db) {}", 1),
        ("src/store/localized.rs", "fn f(_: sled::Db) {}", 1),
        ("src/domain/ids.rs", "\nuse actix_web::web;", 2),
        ("src/http/body.rs", "let at = std::time::Instant::now();", 1),
        ("src/app.rs", "let home = std::env::var(\"HOME\");", 1),
        ("src/service/access.rs", "let id = nanoid::nanoid!(14);", 1),
        ("src/service/access.rs", "let id = nanoid!(14);", 1),
    ] {
        let found = violations(&Source::new(name, code));
        assert!(
            found
                .iter()
                .any(|one| one.starts_with(&format!("{name}:{line}: "))),
            "{code} gives {found:?}"
        );
    }

    assert_eq!(
        violations(&Source::new("src/store/local/engine.rs", "sled::open()")),
        [""; 0]
    );
    assert_eq!(
        violations(&Source::new(
            "src/service/access.rs",
            "// sled\nlet x = nanoid::alphabet::SAFE;"
        )),
        [""; 0]
    );
}
