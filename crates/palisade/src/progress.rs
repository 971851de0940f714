//! Progress of long work: on a terminal only, and on standard error, so that output stays clean.

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal::is_dumb;

/// A bar over `total` steps; invisible when standard error is no terminal, or one that moves no cursor.
pub fn bar(total: u64, what: &'static str) -> ProgressBar {
    if is_dumb() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    // The template is a constant; were it wrong, the default bar does as well.
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
