//! Values that are more than texts: how often, and what is kept elsewhere.

use std::time::Duration;

/// The shortest time between two readings of a source.
pub const EVERY_MIN: Duration = Duration::from_secs(10);

/// The longest.
pub const EVERY_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often: `30s`, `15m`, `1h`, `1d`.
pub(super) fn every(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 24 * 3600)];
    let wrong = || format!("`{text}` is no span of time such as `30s`, `15m`, `1h` or `1d`");
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?.1;
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<u64>().ok());
    let every = Duration::from_secs(number.ok_or_else(wrong)?.saturating_mul(seconds));
    if !(EVERY_MIN..=EVERY_MAX).contains(&every) {
        return Err(format!("`{text}` is not from 10 s to 7 days"));
    }
    Ok(every)
}

/// Where values are kept that a file only refers to.
pub struct Lookup<'l> {
    /// The value of a variable.
    pub variable: &'l dyn Fn(&str) -> Option<String>,
    /// The text of a file.
    pub file: &'l dyn Fn(&str) -> std::io::Result<String>,
}

impl Lookup<'_> {
    /// The text itself, or what `env:NAME` or `file:PATH` stand for, without white space around it.
    ///
    /// # Errors
    /// It is not there, or empty.
    pub fn resolve(&self, text: &str) -> Result<String, String> {
        let found = if let Some(name) = text.strip_prefix("env:") {
            let value = (self.variable)(name);
            value.ok_or_else(|| format!("the variable `{name}` is not set"))?
        } else if let Some(path) = text.strip_prefix("file:") {
            (self.file)(path).map_err(|error| format!("`{path}` cannot be read: {error}"))?
        } else {
            text.to_owned()
        };
        match found.trim() {
            "" => Err(format!("`{text}` is empty")),
            some => Ok(some.to_owned()),
        }
    }
}
