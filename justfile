# The project's words. `just` lists them; `scripts/check WORD` does the same without just.

# List the words
default:
    @just --list --unsorted

# Start the server as config.toml says
run *arguments:
    cargo run --release -- {{arguments}}

# Everything that CI runs
ci:
    .ci/run

# Is the code formatted? (`cargo fmt` makes it so)
format:
    scripts/check format

# No machine paths, no dead links, no stray files
hygiene:
    scripts/check hygiene

# Clippy, warnings are faults
lint:
    scripts/check lint

# All tests
test:
    scripts/check test

# The API documentation, warnings are faults
docs:
    scripts/check docs

# Are all licences of the dependencies among those of deny.toml?
licences:
    scripts/check licences

# The release build
build:
    scripts/check build

# The requests of the public reference, word for word (after build)
reference:
    scripts/check reference

# The commands of README.md, with their answers (after build)
readme:
    scripts/check readme

# The lines for nginx of README.md, with a real nginx before the server (after build)
nginx:
    scripts/check nginx

# Events of real programs, each against the alert that it must become (after build)
senders:
    scripts/check senders

# Hundreds of kills and power cuts; no part of CI
endure:
    scripts/check endure

# Search for requests that cost much (after build); no part of CI
cost:
    scripts/check cost

# Measure the release build (needs wrk and python3; see docs/performance.md)
bench *arguments:
    scripts/bench {{arguments}}
