//! A bar on standard error while something takes long, if that is a terminal.

use crate::store::moving::{Progress, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use std::{
    io::Read,
    sync::{Mutex, PoisonError},
};

/// Shows each stage as a bar, or as a count where nobody knows how much there is to do.
pub(super) fn bar() -> Progress {
    let current = Mutex::new(ProgressBar::hidden());
    Progress::new(move |step| {
        let mut bar = current.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Begin { what, total } => {
                // Draws nothing where there is no terminal.
                *bar = ProgressBar::with_draw_target((total > 0).then_some(total), ProgressDrawTarget::stderr());
                bar.set_style(style(total));
                bar.set_message(what);
            }
            Step::Advance(by) => bar.inc(by),
            Step::End => bar.finish_and_clear(),
        }
    })
}

/// Counts the bytes of what is read until it ends.
pub(super) fn reading(what: &'static str, input: impl Read) -> impl Read {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg} {bytes}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.with_message(what).with_finish(ProgressFinish::AndClear).wrap_read(input)
}

fn style(total: u64) -> ProgressStyle {
    let template = if total > 0 { "{msg} {wide_bar} {percent}% {eta}" } else { "{msg} {human_pos}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
