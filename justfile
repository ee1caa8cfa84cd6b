# `just` lists the recipes. `scripts/check NAME` runs the same checks without just.

# List the recipes
default:
    @just --list --unsorted

# Start the server with config.toml
run *arguments:
    cargo run --release -- {{arguments}}

# Run everything that CI runs
ci:
    .ci/run

# Check the formatting (`cargo fmt` fixes it)
format:
    scripts/check format

# Find machine paths, dead links, stale tables and stray files
hygiene:
    scripts/check hygiene

# Measure comments, blank lines, lengths, names and import cycles
style:
    scripts/check style

# Run clippy with warnings denied
lint:
    scripts/check lint

# Run all tests
test:
    scripts/check test

# Compare the OpenAPI document with the routes, the schemas and the published document
openapi:
    scripts/check openapi

# Build the API documentation with warnings denied
docs:
    scripts/check docs

# Check the licences of dependencies against deny.toml
licences:
    scripts/check licences

# Make the release build
build:
    scripts/check build

# Send the requests of the public reference to the release build
reference:
    scripts/check reference

# Compare generated requests with the OpenAPI documents, PagerTree's and our own
schemathesis:
    scripts/check schemathesis

# Run the commands of README.md against the release build
readme:
    scripts/check readme

# Run nginx with the configuration of README.md in front of the release build
nginx:
    scripts/check nginx

# Send events from real programs to the release build and check their alerts
senders:
    scripts/check senders

# Kill the server and cut the power hundreds of times (not in CI)
endure:
    scripts/check endure

# Search for expensive requests to the release build (not in CI)
cost:
    scripts/check cost

# Fuzz each target for a minute (not in CI)
fuzz:
    scripts/check fuzz

# Benchmark the release build (needs wrk and python3; see docs/performance.md)
bench *arguments:
    scripts/bench {{arguments}}
