//! Whole CBOR items without any shape: their diagnostic notation, and the appendices of RFC 8949.

use palisade_wire::cbor::{Head, Malformed, Reader};
use palisade_wire::{Protocol, decode, shapes};

use super::suite::{bytes, equal, run, text};

/// The diagnostic notation (RFC 8949 §8) of one item and nothing after it.
pub fn diagnostic(bytes: &[u8]) -> Result<String, Malformed> {
    let mut reader = Reader::new(bytes);
    let shown = next(&mut reader, Form::Notation)?;
    if reader.is_empty() {
        Ok(shown)
    } else {
        Err(Malformed { reason: "bytes after the item", at: reader.at() })
    }
}

/// A text that is the same for equal items: lengths and number widths do not show, keys are sorted.
pub fn comparable(bytes: &[u8]) -> Result<String, Malformed> {
    next(&mut Reader::new(bytes), Form::Comparable)
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Notation,
    Comparable,
}

fn next(reader: &mut Reader<'_>, form: Form) -> Result<String, Malformed> {
    let head = reader.head()?;
    item(reader, head, form)
}

fn item(reader: &mut Reader<'_>, head: Head, form: Form) -> Result<String, Malformed> {
    let notation = form == Form::Notation;
    Ok(match head {
        Head::Unsigned(n) if notation => n.to_string(),
        Head::Negative(n) if notation => (-1 - i128::from(n)).to_string(),
        Head::Unsigned(n) => number(n as f64),
        Head::Negative(n) => number(-1.0 - n as f64),
        Head::Float(n) => number(n),
        Head::Simple(20) => "false".into(),
        Head::Simple(21) => "true".into(),
        Head::Simple(22) => "null".into(),
        Head::Simple(23) => "undefined".into(),
        Head::Simple(n) => format!("simple({n})"),
        Head::Bytes(None) if notation => chunks(reader)?,
        Head::Text(None) if notation => chunks(reader)?,
        Head::Bytes(length) => format!("h'{}'", hex(&reader.bytes(length)?)),
        Head::Text(length) => serde_json::to_string(&reader.text(length)?).unwrap(),
        Head::Array(length) => {
            let parts = items(reader, length, 1, form)?;
            brackets('[', parts, length.is_none() && notation, ']')
        }
        Head::Map(length) => {
            let flat = items(reader, length, 2, form)?;
            let mut pairs: Vec<String> = flat.chunks(2).map(|pair| pair.join(": ")).collect();
            if !notation {
                pairs.sort();
            }
            brackets('{', pairs, length.is_none() && notation, '}')
        }
        Head::Tag(tag @ (2 | 3)) if notation => match reader.head()? {
            Head::Bytes(length) => {
                let whole =
                    reader.bytes(length)?.iter().fold(0i128, |n, b| (n << 8) | i128::from(*b));
                (if tag == 2 { whole } else { -1 - whole }).to_string()
            }
            head => format!("{tag}({})", item(reader, head, form)?),
        },
        Head::Tag(tag) => format!("{tag}({})", next(reader, form)?),
        Head::Break => {
            return Err(Malformed {
                reason: "break outside an indefinite length",
                at: reader.at(),
            });
        }
    })
}

fn items(
    reader: &mut Reader<'_>,
    length: Option<u64>,
    size: u64,
    form: Form,
) -> Result<Vec<String>, Malformed> {
    let mut parts = Vec::new();
    while length.is_none_or(|n| (parts.len() as u64) < n * size) {
        match reader.head()? {
            Head::Break if length.is_none() => break,
            head => parts.push(item(reader, head, form)?),
        }
    }
    Ok(parts)
}

fn chunks(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    let parts = items(reader, None, 1, Form::Notation)?;
    Ok(format!("(_ {})", parts.join(", ")))
}

fn brackets(open: char, parts: Vec<String>, indefinite: bool, close: char) -> String {
    let mark = if indefinite { "_ " } else { "" };
    format!("{open}{mark}{}{close}", parts.join(", "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// As ECMAScript writes numbers, and always with a fraction.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    let magnitude = value.abs();
    if value == 0.0 || (1e-6..1e21).contains(&magnitude) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap();
    let point = if digits.contains('.') || magnitude < 1.0 { "" } else { ".0" };
    let plus = if exponent.starts_with('-') { "" } else { "+" };
    format!("{digits}{point}e{plus}{exponent}")
}

/// The item as the value of a member that ListPolicies does not have.
fn as_unknown_member(item: &[u8]) -> bool {
    let body = [b"\xa1\x61x", item].concat();
    decode::<shapes::ListPoliciesRequest>(Protocol::Cbor, &body).is_ok()
}

#[test]
fn conformance_rfc8949_appendix_a() {
    run("rpcv2cbor/rfc8949-appendix-a.json", |case| {
        let item = bytes(case);
        let shown = diagnostic(&item).map_err(|e| e.to_string())?;
        equal("notation", shown.as_str(), text(case, "diagnostic"))?;
        equal("accepted as an unknown member", as_unknown_member(&item), true)
    });
}

#[test]
fn conformance_rfc8949_appendix_f() {
    run("rpcv2cbor/rfc8949-appendix-f-not-well-formed.json", |case| {
        let item = bytes(case);
        let mut reader = Reader::new(&item);
        let alone =
            reader.head().and_then(|head| reader.skip(head, 0)).is_ok() && reader.is_empty();
        equal("accepted alone", alone, false)?;
        equal("accepted as an unknown member", as_unknown_member(&item), false)
    });
}
