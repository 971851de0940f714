//! A table whose keys are taken one after the other; what is left over at the end nobody knows.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Grade, Text};
use super::nearest::nearest;
use super::value::{self, Lookup};

/// A table being read.
pub(super) struct Table<'t, 'f> {
    table: &'t DeTable<'t>,
    span: Range<usize>,
    /// Where it is in the file: `inventory[0]`; empty for the whole.
    path: String,
    text: &'t Text<'t>,
    faults: &'f mut Vec<Fault>,
    /// Keys that were asked for.
    known: Vec<&'static str>,
    /// Whether keys that were not asked for are passed over.
    skips_rest: bool,
}

impl<'t, 'f> Table<'t, 'f> {
    pub fn new(
        table: &'t DeTable<'t>,
        span: Range<usize>,
        path: &str,
        text: &'t Text<'t>,
        faults: &'f mut Vec<Fault>,
    ) -> Self {
        let path = path.to_owned();
        Table { table, span, path, text, faults, known: Vec::new(), skips_rest: false }
    }

    /// A key's value, and where it is.
    pub fn take(&mut self, name: &'static str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.known.push(name);
        self.table.get(name).map(|value| (value.get_ref(), value.span()))
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<(String, Range<usize>)> {
        let (value, span) = self.take(name)?;
        match value.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => Some((text.to_owned(), span)),
            None => {
                self.fault_at(span, name, "it is a text that is not empty");
                None
            }
        }
    }

    /// A text that has to be there.
    pub fn required(&mut self, name: &'static str) -> Option<(String, Range<usize>)> {
        if !self.table.contains_key(name) {
            self.known.push(name);
            self.fault_at(self.span.clone(), name, "it is missing");
            return None;
        }
        self.text(name)
    }

    /// A text that may be kept elsewhere: `env:NAME`, `file:PATH`.
    pub fn secret(
        &mut self,
        name: &'static str,
        lookup: &Lookup<'_>,
    ) -> Option<(String, Range<usize>)> {
        let (text, span) = self.text(name)?;
        match lookup.resolve(&text) {
            Ok(secret) => Some((secret, span)),
            Err(why) => {
                self.fault_at(span, name, &why);
                if let Some(fault) = self.faults.last_mut() {
                    fault.grade = Grade::Elsewhere;
                }
                None
            }
        }
    }

    /// How often: `every`.
    pub fn every(&mut self, usual: Duration) -> Duration {
        let Some((text, span)) = self.text("every") else { return usual };
        value::every(&text).unwrap_or_else(|why| {
            self.fault_at(span, "every", &why);
            usual
        })
    }

    /// A whole number from 1 to `most`.
    pub fn count(&mut self, name: &'static str, usual: usize, most: usize) -> usize {
        let Some((value, span)) = self.take(name) else { return usual };
        let number = value.as_integer().and_then(|number| number.as_str().parse::<usize>().ok());
        match number.filter(|number| (1..=most).contains(number)) {
            Some(number) => number,
            None => {
                self.fault_at(span, name, &format!("it is a whole number from 1 to {most}"));
                usual
            }
        }
    }

    /// A table in this one.
    pub fn table<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Table<'_, '_>) -> T,
    ) -> Option<T> {
        let (value, span) = self.take(name)?;
        let Some(table) = value.as_table() else {
            self.fault_at(span, name, &format!("it is a table: `[{name}]`"));
            return None;
        };
        Some(self.inside(table, span, name, read))
    }

    /// Tables of one name.
    pub fn tables<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Table<'_, '_>) -> T,
    ) -> Vec<T> {
        let Some((value, span)) = self.take(name) else { return Vec::new() };
        let all = value.as_array();
        let tables: Option<Vec<(&DeTable<'_>, Range<usize>)>> = all.and_then(|all| {
            all.iter().map(|one| Some((one.get_ref().as_table()?, one.span()))).collect()
        });
        let Some(tables) = tables else {
            self.fault_at(span, name, &format!("it is a list of tables: `[[{name}]]`"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for (place, (table, span)) in tables.into_iter().enumerate() {
            found.push(self.inside(table, span, &format!("{name}[{place}]"), &mut read));
        }
        found
    }

    fn inside<T>(
        &mut self,
        table: &DeTable<'_>,
        span: Range<usize>,
        name: &str,
        read: impl FnOnce(&mut Table<'_, '_>) -> T,
    ) -> T {
        let path = joined(&self.path, name);
        let mut inner = Table::new(table, span, &path, self.text, self.faults);
        let answer = read(&mut inner);
        inner.end();
        answer
    }

    /// What of it cannot be understood is not looked at.
    pub fn skip_rest(&mut self) {
        self.skips_rest = true;
    }

    /// Tells the keys that nobody asked for.
    pub fn end(self) {
        if self.skips_rest {
            return;
        }
        let known: BTreeSet<&str> = self.known.iter().copied().collect();
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(key.get_ref().as_ref()))
        {
            let name: &str = key.get_ref().as_ref();
            let why = match nearest(name, &self.known) {
                Some(near) => format!("there is no `{name}`; did you mean `{near}`?"),
                None => format!("there is no `{name}`; there are `{}`", self.known.join("`, `")),
            };
            let path = joined(&self.path, name);
            self.faults.push(self.text.fault(Spanned::span(key), &path, &why));
        }
    }

    /// Something is wrong with a key's value.
    pub fn fault_at(&mut self, span: Range<usize>, name: &str, why: &str) {
        let path = joined(&self.path, name);
        self.faults.push(self.text.fault(span, &path, why));
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
