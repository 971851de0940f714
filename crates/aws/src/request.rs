//! A request's bytes, from a row of the table and the call's parameters.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::call::{Call, Rest};
use crate::endpoint::Endpoint;
use crate::service::{Protocol, Service};

/// The parameters of a call, by their names on the wire: for EC2 `Filter` rather than `Filters`, for S3 `prefix`.
pub type Parameters = Map<String, Value>;

/// The greatest body of a request, in bytes.
pub const BODY_SIZE_MAX: usize = 1024 * 1024;

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub method: &'static str,
    pub tls: bool,
    pub authority: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// All but what RFC 3986 calls unreserved.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &STRICT.remove(b'/');

/// Makes the request of a call.
///
/// # Errors
/// What is wrong with the parameters.
pub(crate) fn prepare(
    call: &Call,
    parameters: &Parameters,
    endpoint: &Endpoint,
    named: bool,
) -> Result<Prepared, String> {
    let mut prepared = Prepared {
        method: "POST",
        tls: endpoint.tls,
        authority: endpoint.authority.to_string(),
        path: format!("{}/", endpoint.base),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let mut header = |name: &str, value: String| prepared.headers.push((name.to_owned(), value));
    match call.service.protocol() {
        Protocol::Json { version, target } => {
            header("content-type", format!("application/x-amz-json-{version}"));
            header("x-amz-target", format!("{target}.{}", call.action));
            prepared.body = json(parameters)?;
        }
        Protocol::Query { version } => {
            header("content-type", FORM.to_owned());
            prepared.body = form(call.action, version, parameters, ".member")?.into_bytes();
        }
        Protocol::Ec2 { version } => {
            header("content-type", FORM.to_owned());
            prepared.body = form(call.action, version, parameters, "")?.into_bytes();
        }
        Protocol::RestJson | Protocol::RestXml => {
            let rest = call.rest.ok_or_else(|| format!("`{}` has no path", call.action))?;
            rest_request(&mut prepared, call, rest, parameters, endpoint, named)?;
        }
    }
    if prepared.body.len() > BODY_SIZE_MAX {
        return Err(format!("a body of more than {BODY_SIZE_MAX} bytes"));
    }
    Ok(prepared)
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

fn json(parameters: &Parameters) -> Result<Vec<u8>, String> {
    serde_json::to_vec(parameters).map_err(|error| error.to_string())
}

fn rest_request(
    prepared: &mut Prepared,
    call: &Call,
    rest: Rest,
    parameters: &Parameters,
    endpoint: &Endpoint,
    named: bool,
) -> Result<(), String> {
    let mut left = parameters.clone();
    let mut template = rest.path;
    // A bucket is a host of its own, but for names that no certificate covers and endpoints that somebody named.
    if call.service == Service::S3
        && !named
        && let Some(Value::String(bucket)) = left.get("Bucket")
        && is_host_label(bucket)
    {
        prepared.authority = format!("{bucket}.{}", prepared.authority);
        left.remove("Bucket");
        template = template.strip_prefix("/{Bucket}").unwrap_or(template);
    }
    prepared.method = rest.method;
    let path = filled(template, &mut left)?;
    prepared.path = match (&*endpoint.base, &*path) {
        ("", "") => "/".to_owned(),
        (base, path) => format!("{base}{path}"),
    };
    prepared.query = rest.query.to_owned();
    if rest.method == "POST" {
        prepared.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        prepared.body = json(&left)?;
    } else {
        for (name, value) in &left {
            pair(&mut prepared.query, name, &scalar(name, value)?);
        }
    }
    if call.service.protocol() == Protocol::RestJson {
        // API Gateway answers hypertext to who does not ask for plain JSON.
        prepared.headers.push(("accept".to_owned(), "application/json".to_owned()));
    }
    Ok(())
}

/// Whether a bucket's name may stand before S3's host under S3's certificate.
fn is_host_label(bucket: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (3..=63).contains(&bucket.len())
        && bucket.bytes().all(inner)
        && !bucket.starts_with('-')
        && !bucket.ends_with('-')
}

/// Puts parameters into a path, and takes them out of those that are left.
fn filled(template: &str, left: &mut Parameters) -> Result<String, String> {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a path with an open brace")?;
        let (name, set) = match name.strip_suffix('+') {
            Some(name) => (name, PATH),
            None => (name, STRICT),
        };
        let value =
            left.remove(name).ok_or_else(|| format!("the parameter `{name}` is missing"))?;
        let value = scalar(name, &value)?;
        if value.is_empty() {
            return Err(format!("the parameter `{name}` is empty"));
        }
        path.push_str(before);
        path.extend(utf8_percent_encode(&value, set));
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

fn form(
    action: &str,
    version: &str,
    parameters: &Parameters,
    list: &str,
) -> Result<String, String> {
    let mut text = String::new();
    pair(&mut text, "Action", action);
    pair(&mut text, "Version", version);
    for (name, value) in parameters {
        flatten(&mut text, name, value, list)?;
    }
    Ok(text)
}

fn flatten(text: &mut String, name: &str, value: &Value, list: &str) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().zip(1_u32..).try_for_each(|(item, place)| {
            flatten(text, &format!("{name}{list}.{place}"), item, list)
        }),
        Value::Object(members) => members.iter().try_for_each(|(member, value)| {
            flatten(text, &format!("{name}.{member}"), value, list)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            pair(text, name, &scalar(name, value)?);
            Ok(())
        }
    }
}

fn scalar(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("the parameter `{name}` is no text or number"))
        }
    }
}

fn pair(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() {
        text.push('&');
    }
    text.extend(utf8_percent_encode(name, STRICT));
    text.push('=');
    text.extend(utf8_percent_encode(value, STRICT));
}

#[cfg(test)]
mod tests;
