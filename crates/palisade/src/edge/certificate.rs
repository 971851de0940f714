//! When a certificate ends: all that is read here of X.509 (RFC 5280 §4.1).

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Tags of DER.
const EXPLICIT_VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the certificate is no longer good, milliseconds since the epoch; `None` for what is none.
pub(super) fn ends_ms(der: &[u8]) -> Option<i64> {
    let certificate = element(der)?.content;
    let mut rest = element(certificate)?.content;
    let first = element(rest)?;
    if first.tag == EXPLICIT_VERSION {
        rest = first.rest;
    }
    // Serial number, algorithm and issuer come before the two moments.
    for _ in 0..3 {
        rest = element(rest)?.rest;
    }
    let validity = element(rest)?.content;
    let not_after = element(element(validity)?.rest)?;
    moment_ms(not_after.tag, std::str::from_utf8(not_after.content).ok()?)
}

/// One value, and what comes behind it.
struct Element<'d> {
    tag: u8,
    content: &'d [u8],
    rest: &'d [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, der) = der.split_first()?;
    let (&length, der) = der.split_first()?;
    let (length, der) = match length {
        0..=0x7f => (usize::from(length), der),
        // So many bytes tell the length.
        0x81..=0x84 => {
            let (bytes, der) = der.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), der)
        }
        _ => return None,
    };
    let (content, rest) = der.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn moment_ms(tag: u8, text: &str) -> Option<i64> {
    let whole = match tag {
        // Of two digits those from 50 on are of the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%SZ", whole).ok()?.to_zoned(TimeZone::UTC);
    // The last second of the year 9999 says that there is no end, and is beyond what moments reach.
    Some(at.map_or(i64::MAX, |at| at.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut der = vec![tag];
        match length {
            0..0x80 => der.push(u8::try_from(length).unwrap()),
            _ => der.extend([
                0x82,
                u8::try_from(length >> 8).unwrap(),
                u8::try_from(length & 0xff).unwrap(),
            ]),
        }
        der.extend_from_slice(content);
        der
    }

    /// A certificate as far as it is read.
    fn certificate(version: bool, tag: u8, not_after: &str) -> Vec<u8> {
        let mut parts = Vec::new();
        if version {
            parts.extend(der(EXPLICIT_VERSION, &[2, 1, 2]));
        }
        parts.extend(der(2, &[7]));
        parts.extend(der(0x30, &[0; 200]));
        parts.extend(der(0x30, b"issuer"));
        let moments = [der(UTC_TIME, b"200101000000Z"), der(tag, not_after.as_bytes())].concat();
        parts.extend(der(0x30, &moments));
        parts.extend(der(0x30, b"subject"));
        der(0x30, &der(0x30, &parts))
    }

    #[test]
    fn a_certificate_tells_when_it_ends() {
        for (tag, text, told) in [
            (UTC_TIME, "261201000000Z", Some("2026-12-01T00:00:00Z")),
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z")),
            (UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "20500101000000Z", Some("2050-01-01T00:00:00Z")),
            (UTC_TIME, "261301000000Z", None),
            (UTC_TIME, "2", None),
            (GENERALIZED_TIME, "", None),
            (4, "261201000000Z", None),
        ] {
            let told: Option<jiff::Timestamp> = told.map(|told| told.parse().unwrap());
            for version in [true, false] {
                let found = ends_ms(&certificate(version, tag, text));
                assert_eq!(found, told.map(|at| at.as_millisecond()), "{text}");
            }
        }
    }

    #[test]
    fn a_certificate_may_have_no_end() {
        let endless = certificate(true, GENERALIZED_TIME, "99991231235959Z");
        assert_eq!(ends_ms(&endless), Some(i64::MAX));
    }

    #[test]
    fn what_is_cut_off_is_no_certificate() {
        let whole = certificate(true, UTC_TIME, "261201000000Z");
        for length in 0..whole.len() {
            assert_eq!(ends_ms(&whole[..length]), None, "{length}");
        }
        assert_eq!(ends_ms(&[0x30, 0x85, 1, 1, 1, 1, 1]), None);
    }
}
