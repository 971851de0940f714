//! Prometheus' text format, as far as Palisade writes it.

use std::collections::BTreeMap;

/// The samples of a page.
pub(super) struct Page(Vec<Sample>);

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// How long something took together, and how often it was done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    pub seconds: f64,
    pub count: f64,
}

impl Sum {
    /// 0 for what was never done.
    pub(super) fn average(self) -> f64 {
        if self.count > 0.0 { self.seconds / self.count } else { 0.0 }
    }
}

impl Page {
    /// The samples that can be read; a newer server may say what this program does not know.
    pub(super) fn parse(text: &str) -> Page {
        Page(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// Every sample of a name.
    pub(super) fn labelled(
        &self,
        name: &str,
    ) -> impl Iterator<Item = (&BTreeMap<String, String>, f64)> {
        let named = self.0.iter().filter(move |sample| sample.name == name);
        named.map(|sample| (&sample.labels, sample.value))
    }

    /// The one sample of a name; `None` where the server does not tell it, as when its store does not answer.
    pub(super) fn told(&self, name: &str) -> Option<f64> {
        self.labelled(name).map(|(_, value)| value).next()
    }

    /// The same of what is counted from the server's start; 0 for what did not happen yet.
    pub(super) fn value(&self, name: &str) -> f64 {
        self.told(name).unwrap_or(0.0)
    }

    /// The sample with a label; `None` where the server does not tell it.
    pub(super) fn told_one(&self, name: &str, label: &str, is: &str) -> Option<f64> {
        let mut labelled = self.labelled(name);
        let found = labelled.find(|(labels, _)| labels.get(label).is_some_and(|value| value == is));
        found.map(|(_, value)| value)
    }

    /// The same of what is counted from the server's start; 0 for what did not happen yet.
    pub(super) fn one(&self, name: &str, label: &str, is: &str) -> f64 {
        self.told_one(name, label, is).unwrap_or(0.0)
    }

    /// Sum and count of a histogram or summary.
    pub(super) fn sum(&self, name: &str, label: &str, is: &str) -> Sum {
        Sum {
            seconds: self.one(&format!("{name}_sum"), label, is),
            count: self.one(&format!("{name}_count"), label, is),
        }
    }

    /// Whether it holds samples of a Palisade at all.
    pub(super) fn is_ours(&self) -> bool {
        self.0.iter().any(|sample| sample.name.starts_with("palisade_"))
    }
}

/// `name{label="value",…} number`. Palisade's labels hold no quotes or commas.
fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (series, ""),
    };
    let label = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    Some(Sample {
        name: name.to_owned(),
        labels: labels.split(',').filter_map(label).collect(),
        value: value.parse().ok()?,
    })
}
