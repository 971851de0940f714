//! What was checked, and what could not be.

/// How a check went that did not fail.
pub enum Checked {
    /// It was made, and what was seen.
    Seen(String),
    /// It cannot be made on this machine, and why.
    Skipped(String),
}

/// All checks so far.
#[derive(Default)]
pub struct Report {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    /// Notes and prints how one check went.
    pub fn check(&mut self, name: &str, outcome: Result<Checked, String>) {
        match outcome {
            Ok(Checked::Seen(what)) => {
                self.passed += 1;
                println!("ok       {name}: {what}");
            }
            Ok(Checked::Skipped(why)) => {
                println!("skipped  {name}: {why}");
                self.skipped.push(format!("{name}: {why}"));
            }
            Err(why) => {
                println!("FAILED   {name}: {why}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// Prints the sum.
    ///
    /// # Errors
    /// When any check failed.
    pub fn end(self) -> Result<(), String> {
        println!("── summary");
        for line in &self.skipped {
            println!("skipped: {line}");
        }
        let Report { passed, failed, skipped } = self;
        println!("{passed} passed, {} failed, {} skipped", failed.len(), skipped.len());
        match failed.is_empty() {
            true => Ok(()),
            false => Err(format!("failed: {}", failed.join("; "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_check_fails_all_and_a_skipped_one_does_not() {
        let mut report = Report::default();
        report.check("a", Ok(Checked::Seen("it".to_owned())));
        report.check("b", Ok(Checked::Skipped("no tool".to_owned())));
        assert_eq!((report.passed, report.skipped.len()), (1, 1));
        assert_eq!(report.end(), Ok(()));
        let mut report = Report::default();
        report.check("c", Err("broken".to_owned()));
        assert_eq!(report.end(), Err("failed: c".to_owned()));
    }
}
