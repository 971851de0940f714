//! The commands that print what a page shows: by palisade, by AWS's own tool, by curl.

use palisade_api::own::moment;

use crate::frame::Command;
use crate::reader::Reader;

/// The server as the browser knows it.
pub fn endpoint(reader: &Reader<'_>) -> String {
    let scheme = if reader.app.settings.over_tls { "https" } else { "http" };
    format!("{scheme}://{}", reader.host)
}

/// `palisade …` at this server, Region and moment. What is handed over is made of ids alone, which need no quotes.
pub fn palisade(reader: &Reader<'_>, words: &str) -> Command {
    let has_past = ["compliance", "violators"].iter().any(|name| words.starts_with(name));
    let at_ms = reader.at_ms.filter(|_| has_past);
    let at = at_ms.map(|at_ms| format!(" --at {}", moment(at_ms))).unwrap_or_default();
    let text =
        format!("palisade {words}{at} --endpoint {} --region {}", endpoint(reader), region(reader));
    Command { tool: "palisade", text }
}

/// `aws fms …`
pub fn aws(reader: &Reader<'_>, words: &str) -> Command {
    let text =
        format!("aws fms {words} --endpoint-url {} --region {}", endpoint(reader), region(reader));
    Command { tool: "AWS CLI", text }
}

/// `curl` of one of Palisade's own endpoints.
pub fn curl(reader: &Reader<'_>, path: &str) -> Command {
    let joint = if path.contains('?') { '&' } else { '?' };
    let at = reader.at_ms.map(|at_ms| format!("{joint}at={}", moment(at_ms))).unwrap_or_default();
    let text = format!(
        "curl --aws-sigv4 aws:amz:{}:fms --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" '{}{path}{at}'",
        region(reader),
        endpoint(reader)
    );
    Command { tool: "curl", text }
}

fn region<'r>(reader: &'r Reader<'_>) -> &'r str {
    reader.place.region.as_str()
}
