//! A progress bar on standard error, if that is a terminal.

use crate::store::archive::{Progress, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::{Mutex, PoisonError};

/// Shows each stage as a bar, or as a counter if its total is unknown.
pub(super) fn bar() -> Progress {
    let current = Mutex::new(ProgressBar::hidden());
    Progress::new(move |step| {
        let mut bar = current.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Begin { what, total } => {
                // Draws nothing without a terminal.
                *bar = ProgressBar::with_draw_target(
                    (total > 0).then_some(total),
                    ProgressDrawTarget::stderr(),
                );
                bar.set_style(style(total));
                bar.set_message(what);
            }
            Step::Advance(by) => bar.inc(by),
            Step::End => bar.finish_and_clear(),
        }
    })
}

fn style(total: u64) -> ProgressStyle {
    let template = if total > 0 {
        "{msg} {wide_bar} {percent}% {eta}"
    } else {
        "{msg} {human_pos}"
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
