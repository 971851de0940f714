//! The commands that print what a page shows: by palisade, by AWS's own tool, by curl.

use palisade_api::own::moment;
use palisade_store::PolicyRecord;

use crate::frame::Command;
use crate::reader::Reader;

/// `palisade …` at this server, Region and moment. What is handed over is made of ids alone, which need no quotes.
pub fn palisade(reader: &Reader<'_>, words: &str) -> Command {
    let has_past = ["compliance", "violators"].iter().any(|name| words.starts_with(name));
    let at_ms = reader.at_ms.filter(|_| has_past);
    let at = at_ms.map(|at_ms| format!(" --at {}", moment(at_ms))).unwrap_or_default();
    let text = format!(
        "palisade {words}{at} --endpoint {} --region {}",
        reader.endpoint(),
        region(reader)
    );
    Command { tool: "palisade", text }
}

/// `aws fms …`
pub fn aws(reader: &Reader<'_>, words: &str) -> Command {
    let text =
        format!("aws fms {words} --endpoint-url {} --region {}", reader.endpoint(), region(reader));
    Command { tool: "AWS CLI", text }
}

/// `curl` of one of Palisade's own endpoints.
pub fn curl(reader: &Reader<'_>, path: &str) -> Command {
    let joint = if path.contains('?') { '&' } else { '?' };
    let at = reader.at_ms.map(|at_ms| format!("{joint}at={}", moment(at_ms))).unwrap_or_default();
    let text = format!(
        "curl --aws-sigv4 aws:amz:{}:fms --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" '{}{path}{at}'",
        region(reader),
        reader.endpoint()
    );
    Command { tool: "curl", text }
}

/// Policies that one command may name.
const POLICIES_NAMED_MAX: usize = 100;

/// The same of several policies: AWS's operation once for each, and the endpoint below each by one address with
/// their ids between braces, which curl writes out. None where there is no policy, or where there are too many.
pub fn of_each(
    reader: &Reader<'_>,
    policies: &[&PolicyRecord],
    operation: &str,
    endpoint: &str,
) -> Vec<Command> {
    let ids: Vec<&str> = policies.iter().map(|record| record.id.as_str()).collect();
    let all = match ids.as_slice() {
        [] => return Vec::new(),
        [one] => (*one).to_owned(),
        some if some.len() > POLICIES_NAMED_MAX => return Vec::new(),
        some => format!("{{{}}}", some.join(",")),
    };
    let one = aws(reader, &format!("{operation} --policy-id \"$id\""));
    let text = format!("for id in {}; do {}; done", ids.join(" "), one.text);
    let address = format!("/palisade/v1/policies/{all}/{endpoint}");
    vec![Command { text, ..one }, curl(reader, &address)]
}

fn region<'r>(reader: &'r Reader<'_>) -> &'r str {
    reader.place.region.as_str()
}
