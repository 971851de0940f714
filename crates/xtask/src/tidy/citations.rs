//! Sources cite `docs/semantics.md` and `docs/config-formats.md` by section and row: each citation
//! must be of a place that is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How a document is cited, and where it is.
const DOCUMENTS: [(&str, &str); 2] =
    [("semantics", "docs/semantics.md"), ("formats", "docs/config-formats.md")];

/// Adds a finding for each citation of a section or row that its document does not have.
pub fn check(root: &Path, sources: &[PathBuf], findings: &mut Vec<String>) -> Result<(), String> {
    let mut documents = Vec::new();
    for (word, name) in DOCUMENTS {
        let path = root.join(name);
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        documents.push((word, Places::of(&text)));
    }
    for path in sources {
        let text =
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).display();
        for (number, cited) in citations(&text) {
            let of = |(word, _): &&(&str, Places)| *word == cited.document;
            let known = documents.iter().find(of).is_some_and(|(_, places)| places.have(&cited));
            if !known {
                findings.push(format!("{name}:{number}: there is no {cited}"));
            }
        }
    }
    Ok(())
}

/// One place that a source cites.
#[derive(Debug, PartialEq)]
struct Citation {
    document: &'static str,
    section: String,
    row: Option<String>,
}

impl std::fmt::Display for Citation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} §{}", self.document, self.section)?;
        self.row.iter().try_for_each(|row| write!(f, " row {row}"))
    }
}

/// The sections of a document, and the numbered rows of the tables in each.
struct Places {
    sections: BTreeSet<String>,
    rows: BTreeSet<(String, String)>,
}

impl Places {
    fn of(text: &str) -> Places {
        let mut places = Places { sections: BTreeSet::new(), rows: BTreeSet::new() };
        let mut section = String::new();
        for line in text.lines() {
            let heading = line.trim_start_matches('#').trim_start();
            if line.starts_with('#')
                && let Some(number) = number_at(heading)
            {
                section = number.to_owned();
                places.sections.insert(section.clone());
            } else if let Some(row) = line.strip_prefix("| ").and_then(number_at) {
                places.rows.insert((section.clone(), row.to_owned()));
            } else if number_at(line).is_some() {
                // A numbered list, several points a line.
                let points = line.split_whitespace().filter_map(|word| word.strip_suffix('.'));
                let numbers = points.filter(|point| number_at(point) == Some(point));
                places.rows.extend(numbers.map(|row| (section.clone(), row.to_owned())));
            }
        }
        places
    }

    fn have(&self, cited: &Citation) -> bool {
        let section = &cited.section;
        match &cited.row {
            Some(row) => self.rows.contains(&(section.clone(), row.clone())),
            None => self.sections.contains(section),
        }
    }
}

/// The number that a text begins with: `5.1`, `10`.
fn number_at(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text.get(..end)?.trim_end_matches('.');
    number.starts_with(|c: char| c.is_ascii_digit()).then_some(number)
}

/// Every `semantics §N`, `semantics §N row R` and `… rows R, S and T` of a text, with its line
/// (the line the section stands in; a row may stand at the begin of the next).
fn citations(text: &str) -> Vec<(usize, Citation)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        for (document, _) in DOCUMENTS {
            let mark = format!("{document} §");
            for (start, _) in line.match_indices(&mark) {
                let rest = line.get(start + mark.len()..).unwrap_or_default();
                let next = lines
                    .get(at + 1)
                    .map_or("", |next| next.trim_start().trim_start_matches(['/', '!', ' ']));
                for cited in places(document, &format!("{rest} {next}")) {
                    found.push((at + 1, cited));
                }
            }
        }
    }
    found
}

/// The places that `5.1 …`, `10 row 3 …` or `10 rows 1, 2 and 4 …` name.
fn places(document: &'static str, text: &str) -> Vec<Citation> {
    let Some(section) = number_at(text).map(str::to_owned) else { return Vec::new() };
    let after = text.get(section.len()..).unwrap_or_default();
    let rows = after.strip_prefix(" rows ").or_else(|| after.strip_prefix(" row "));
    let Some(mut rows) = rows else { return vec![Citation { document, section, row: None }] };
    let mut found = Vec::new();
    while let Some(row) = number_at(rows) {
        found.push(Citation { document, section: section.clone(), row: Some(row.to_owned()) });
        let rest = rows.get(row.len()..).unwrap_or_default();
        let next = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(" and "));
        match next {
            Some(next) => rows = next,
            None => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# 5. Types\n## 5.1 WAFV2\n# 10. Readings\n| # | a |\n|---|---|\n| 1 | x |\n| 12 | y |\n# 11. Quirks\n1. One. 2. Two.\n3. Three.\n";

    fn unknown(source: &str) -> Vec<String> {
        let places = Places::of(DOCUMENT);
        let cited = citations(source);
        assert!(!cited.is_empty(), "nothing is cited in {source:?}");
        let unknown = cited.iter().filter(|(_, cited)| !places.have(cited));
        unknown.map(|(line, cited)| format!("{line} {cited}")).collect()
    }

    #[test]
    fn sections_and_rows_that_are_there_are_found() {
        assert_eq!(unknown("/// It complies (semantics §5.1)."), [""; 0]);
        assert_eq!(unknown("// semantics §5. And so on"), [""; 0]);
        assert_eq!(unknown("/// (semantics §10 rows 1, 12)"), [""; 0]);
        assert_eq!(unknown("// semantics \u{a7}11 rows 1, 2 and 3"), [""; 0]);
        assert_eq!(unknown("/// by semantics §10\n/// row 12"), [""; 0]);
    }

    #[test]
    fn sections_and_rows_that_are_not_there_are_told() {
        assert_eq!(unknown("\n/// (semantics §5.2)"), ["2 semantics §5.2"]);
        assert_eq!(unknown("/// semantics §10 rows 1 and 2"), ["1 semantics §10 row 2"]);
        assert_eq!(unknown("/// semantics \u{a7}5.1 row 1"), ["1 semantics \u{a7}5.1 row 1"]);
    }
}
