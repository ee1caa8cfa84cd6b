//! `conformance`: asks a server what the documented contract demands, and prints what held.
//!
//! Users see how faithful this server is, and maintainers notice when the original changes.

mod answer;
mod own_server;
mod probe;
mod reads;
mod writes;

use self::{own_server::OwnServer, probe::Probe};
use super::CliError;
use crate::config::given_token;
use clap::Args;
use serde::Serialize;
use std::{
    io::{self, Write},
    process::ExitCode,
};

#[derive(Clone, Debug, Args)]
pub(super) struct ConformanceArgs {
    /// Server to ask, such as https://api.pagertree.com [default: a temporary one of this program]
    #[arg(long, value_name = "URL")]
    against: Option<String>,
    /// Credential for it [default: the environment variable PAGERTREE_LOCAL_TOKEN]
    #[arg(long, value_name = "TOKEN", requires = "against")]
    token: Option<String>,
    /// Also create, update and delete integrations; without --against always on
    #[arg(long)]
    writes: bool,
    /// Destination of the created integrations; they are disabled at once
    #[arg(long, value_name = "ID", default_value = "tem_conformance")]
    destination: String,
    /// Pace, except against this machine
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=6_000))]
    requests_per_minute: u32,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Something that the documentation promises.
pub(super) struct Check {
    /// The part of the documentation, as headings group the output.
    section: &'static str,
    /// The promise, as a sentence.
    statement: &'static str,
    run: fn(&mut Probe) -> Result<(), Failure>,
}

/// Why a check did not hold.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server did something else.
    Broken(String),
    /// The account lacks what the check needs.
    Untested(String),
    /// No response.
    Unreachable(String),
}

/// The result of one check.
#[derive(Debug, Serialize)]
struct CheckResult {
    section: &'static str,
    statement: &'static str,
    /// `held`, `broken` or `untested`.
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The results of all checks.
#[derive(Debug, Serialize)]
struct Report {
    server: String,
    held: usize,
    broken: usize,
    untested: usize,
    /// Percent of the tested promises that held, rounded down.
    score: usize,
    checks: Vec<CheckResult>,
}

/// The server did not hold a promise.
const BROKEN: u8 = 1;
/// The server does not respond. Also the exit code for invalid arguments.
const UNREACHABLE: u8 = 2;

pub(super) fn run(arguments: ConformanceArgs) -> Result<ExitCode, CliError> {
    let (url, token, own) = match arguments.against {
        Some(url) => (url, token(arguments.token)?, None),
        None => {
            let own = OwnServer::start()?;
            (own.url().to_owned(), "conformance".into(), Some(own))
        }
    };
    let writes = arguments.writes || own.is_some();
    let mut probe = Probe::new(&url, token, arguments.requests_per_minute);
    probe.set_destination(arguments.destination);

    let results = run_checks(&mut probe, writes);
    // Whatever happened, nothing that the checks created stays.
    probe.remove_created();
    let checks = match results {
        Ok(checks) => checks,
        Err(reason) => {
            super::print_error(&reason);
            return Ok(UNREACHABLE.into());
        }
    };

    let report = Report::of(url, checks);
    print(&report, arguments.json, writes)?;
    Ok(match report.broken {
        0 => ExitCode::SUCCESS,
        _ => BROKEN.into(),
    })
}

fn token(given: Option<String>) -> Result<String, CliError> {
    given
        .or_else(|| given_token()?.into_string().ok())
        .ok_or_else(|| CliError("--against needs a credential: pass --token TOKEN".into()))
}

fn run_checks(probe: &mut Probe, writes: bool) -> Result<Vec<CheckResult>, String> {
    let writing = if writes { writes::CHECKS } else { &[] };
    // Writes come first, so that lists have something to show.
    let mut results = Vec::new();
    for check in
        writing
            .iter()
            .chain(reads::CHECKS)
            .chain(if writes { writes::LAST_CHECKS } else { &[] })
    {
        let (verdict, reason) = match (check.run)(probe) {
            Ok(()) => ("held", None),
            Err(Failure::Broken(reason)) => ("broken", Some(reason)),
            Err(Failure::Untested(reason)) => ("untested", Some(reason)),
            Err(Failure::Unreachable(reason)) => return Err(reason),
        };
        results.push(CheckResult {
            section: check.section,
            statement: check.statement,
            verdict,
            reason,
        });
    }
    Ok(results)
}

impl Report {
    fn of(server: String, checks: Vec<CheckResult>) -> Self {
        let count = |verdict| {
            checks
                .iter()
                .filter(|check| check.verdict == verdict)
                .count()
        };
        let (held, broken) = (count("held"), count("broken"));
        Self {
            server,
            held,
            broken,
            untested: count("untested"),
            score: (100 * held).checked_div(held + broken).unwrap_or(0),
            checks,
        }
    }
}

fn print(report: &Report, json: bool, writes: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let printed = if json {
        serde_json::to_writer_pretty(&mut out, report)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        print_table(&mut out, report, writes)
    };

    match printed {
        // The reader has closed the pipe. The exit code says the rest.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn print_table(out: &mut impl Write, report: &Report, writes: bool) -> io::Result<()> {
    writeln!(out, "{}", report.server)?;
    let mut sections: Vec<&str> = report.checks.iter().map(|check| check.section).collect();
    sections.sort_unstable();
    sections.dedup();

    for section in sections {
        writeln!(out, "\n{section}")?;
        for check in report
            .checks
            .iter()
            .filter(|check| check.section == section)
        {
            let mark = match check.verdict {
                "held" => "ok  ",
                "broken" => "FAIL",
                _ => "-   ",
            };
            writeln!(out, "  {mark}  {}", check.statement)?;
            if let Some(reason) = &check.reason {
                writeln!(out, "        {reason}")?;
            }
        }
    }

    let Report {
        held,
        broken,
        untested,
        score,
        ..
    } = report;
    writeln!(
        out,
        "\n{held} held, {broken} broken, {untested} not tested: {score} %"
    )?;
    if !writes {
        writeln!(
            out,
            "Only reads were tested; --writes also creates, updates and deletes integrations."
        )?;
    }
    out.flush()
}
