//! What the `Authorization` header and the date of a request say, before anything is believed.

use super::RequestParts;
use super::canonical::decoded;
use super::sign::basic_time;
use crate::route::values;
use crate::{ErrorKind, Fault, Timestamp};

/// Why there is nothing to verify.
pub fn unsigned(query: &str) -> Fault {
    let presigned = query.split('&').any(|part| {
        let name = part.split('=').next().unwrap_or_default();
        decoded(name).eq_ignore_ascii_case(b"x-amz-signature")
            || decoded(name).eq_ignore_ascii_case(b"x-amz-algorithm")
    });
    let message = if presigned {
        "Missing Authentication Token: presigned requests are not served, sign in the Authorization header"
    } else {
        "Missing Authentication Token"
    };
    Fault::new(ErrorKind::MissingAuthenticationToken, message)
}

/// Credential, SignedHeaders and Signature, each exactly once, in any order.
pub fn fields_of(text: &str) -> Result<[&str; 3], Fault> {
    let names = ["Credential", "SignedHeaders", "Signature"];
    let mut found: [Option<&str>; 3] = [None; 3];
    for part in text.split(',') {
        let (name, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
        let place = names.iter().position(|n| *n == name).and_then(|i| found.get_mut(i));
        let Some(place) = place else {
            // Not repeated: of another scheme's header it may be the secret.
            return Err(incomplete(
                "Authorization header has a parameter other than 'Credential', 'SignedHeaders' and 'Signature'.",
            ));
        };
        if place.replace(value.trim()).is_some() {
            return Err(incomplete(format!(
                "Authorization header has the parameter '{name}' twice."
            )));
        }
    }
    let missing: Vec<String> = names
        .iter()
        .zip(found)
        .filter(|(_, value)| value.is_none_or(str::is_empty))
        .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
        .collect();
    match found {
        [Some(credential), Some(signed), Some(signature)] if missing.is_empty() => {
            Ok([credential, signed, signature])
        }
        _ => Err(incomplete(missing.join(" "))),
    }
}

/// The time of signing: `x-amz-date`, or else `Date`, in ISO 8601 basic form or, for `Date`, that of HTTP.
pub fn signing_time(parts: &RequestParts<'_>) -> Result<(String, i64), Fault> {
    let name =
        if values(parts.headers, "x-amz-date").next().is_some() { "x-amz-date" } else { "date" };
    let mut all = values(parts.headers, name);
    let Some(text) = all.next() else {
        return Err(incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ));
    };
    if all.next().is_some() {
        return Err(incomplete(format!("the header '{name}' comes more than once")));
    }
    let moment = match name {
        "date" => parse_basic(text).or_else(|| Timestamp::parse_http_date(text)),
        _ => parse_basic(text),
    };
    let Some(moment) = moment else {
        return Err(incomplete(format!(
            "Date must be in ISO-8601 'basic format', such as 20260115T120000Z. Got '{text}'."
        )));
    };
    // What came in basic form is spelled as it would be written here, unless it is a leap second.
    let spelled = match text.len() == BASIC_LEN && !text.ends_with("60Z") {
        true => text.to_owned(),
        false => basic_time(moment.as_millis()),
    };
    Ok((spelled, moment.as_millis()))
}

/// Characters of the basic form; the date of HTTP has more.
const BASIC_LEN: usize = 16;

/// `20260115T120000Z` and nothing else.
fn parse_basic(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(part)
    };
    if text.len() != BASIC_LEN || text.get(8..9) != Some("T") || text.get(15..) != Some("Z") {
        return None;
    }
    let two = |range| digits(range)?.parse::<i8>().ok();
    let year = digits(0..4)?.parse().ok()?;
    // A leap second is the last one of its minute.
    let second = two(13..15).map(|second| if second == 60 { 59 } else { second })?;
    Timestamp::of_civil(year, [two(4..6)?, two(6..8)?, two(9..11)?, two(11..13)?, second])
}

pub fn incomplete(message: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::IncompleteSignature, message)
}
