//! The commands that print what a page shows: by palisade, by AWS's own tool, by curl.

use crate::frame::Command;
use crate::reader::Reader;

/// The server as the browser knows it.
pub fn endpoint(reader: &Reader<'_>) -> String {
    let scheme = if reader.app.settings.over_tls { "https" } else { "http" };
    format!("{scheme}://{}", reader.host)
}

/// `palisade …` at this server and Region. What is handed over is made of ids alone, which need no quotes.
pub fn palisade(reader: &Reader<'_>, words: &str) -> Command {
    let text =
        format!("palisade {words} --endpoint {} --region {}", endpoint(reader), region(reader));
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
    let text = format!(
        "curl --aws-sigv4 aws:amz:{}:fms --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" '{}{path}'",
        region(reader),
        endpoint(reader)
    );
    Command { tool: "curl", text }
}

fn region<'r>(reader: &'r Reader<'_>) -> &'r str {
    reader.place.region.as_str()
}
