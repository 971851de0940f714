//! Answers in XML as JSON, by the shapes of `shapes/*.txt`.
//!
//! The mapping: a member gets the name that AWS's SDKs and references give it (`vpcSet` is `Vpcs`), and its type: text,
//! `true` or `false`, a number, an object or an array. Moments stay text. **A list without members is `[]`, and a list
//! that the answer does not have is absent**; an object without members is `{}`. What no shape knows is kept under its
//! name in the XML: elements below one called `item` or `member` make an array, other elements an object, all else text.

mod shapes;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Number, Value};

use crate::service::Service;

use shapes::{Kind, Member, Shapes, Struct};

/// Elements within each other that an answer may have.
pub const DEPTH_MAX: usize = 64;

/// An element with what stands in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }
}

/// Reads a whole document.
///
/// # Errors
/// What is wrong, for what is no XML, is cut short, or has elements too deep in each other.
pub(crate) fn parse(bytes: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("XML is not UTF-8: {error}"))?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| format!("no XML at byte {}: {error}", reader.error_position()))?;
        match event {
            Event::Start(start) => {
                if open.len() >= DEPTH_MAX {
                    return Err(format!(
                        "XML with more than {DEPTH_MAX} elements within each other"
                    ));
                }
                open.push(Element { name: local(start.name().as_ref()), ..Element::default() });
            }
            Event::Empty(empty) => {
                let element = Element { name: local(empty.name().as_ref()), ..Element::default() };
                close(&mut open, &mut root, element)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or("XML ends an element that did not begin")?;
                close(&mut open, &mut root, element)?;
            }
            Event::Text(text) => {
                add_text(&mut open, &text)?;
            }
            Event::CData(data) => {
                add_text(&mut open, &data)?;
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                let resolved = match (character, &*reference) {
                    (Some(character), _) => character,
                    (None, "lt") => '<',
                    (None, "gt") => '>',
                    (None, "amp") => '&',
                    (None, "quot") => '"',
                    (None, "apos") => '\'',
                    (None, other) => {
                        return Err(format!("XML with the unknown reference `{other}`"));
                    }
                };
                add_text(&mut open, resolved.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err("XML with a document type".to_owned()),
            Event::Eof => break,
        }
    }
    match (root, open.last()) {
        (Some(root), None) => Ok(root),
        (_, Some(element)) => Err(format!("XML ends within `{}`", element.name)),
        (None, None) => Err("XML without an element".to_owned()),
    }
}

fn local(name: &str) -> String {
    name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned()
}

fn close(open: &mut [Element], root: &mut Option<Element>, element: Element) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None if root.is_none() => *root = Some(element),
        None => return Err(format!("XML goes on after its end with `{}`", element.name)),
    }
    Ok(())
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), String> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("XML with text outside of its element".to_owned()),
    }
    Ok(())
}

/// The answer of a call: the element of its result, read as `shape`.
///
/// # Errors
/// For a document that is no answer of the call, and a value that is not of its type.
pub(crate) fn answer(
    service: Service,
    action: &str,
    shape: &str,
    root: &Element,
) -> Result<Value, String> {
    let shapes = Shapes::of(service);
    let known = shapes.get(shape).ok_or_else(|| format!("no shape `{shape}`"))?;
    let response = format!("{action}Response");
    let result = format!("{action}Result");
    let element = match service {
        Service::Ec2 => expected(root, &response)?,
        Service::Elb | Service::ElbV2 | Service::Sts => {
            let root = expected(root, &response)?;
            root.child(&result).ok_or_else(|| format!("XML without `{result}`"))?
        }
        _ => root,
    };
    // REST answers are the one member of the result itself, or its members.
    if service == Service::CloudFront {
        let member = known
            .members
            .iter()
            .find(|member| member.wire == element.name || is_body(member, &element.name))
            .ok_or_else(|| format!("XML of `{}` where `{shape}` was expected", element.name))?;
        let mut whole = Map::new();
        whole.insert(member.name.to_owned(), value(shapes, member, &[element])?);
        return Ok(Value::Object(whole));
    }
    if service == Service::S3 {
        expected(root, "ListBucketResult")?;
    }
    object(shapes, known, element)
}

/// CloudFront names the element of a body by its shape or by its member.
fn is_body(member: &Member, name: &str) -> bool {
    matches!(&member.kind, Kind::Struct(shape) if *shape == name)
}

fn expected<'e>(element: &'e Element, name: &str) -> Result<&'e Element, String> {
    if element.name == name {
        Ok(element)
    } else {
        Err(format!("XML of `{}` where `{name}` was expected", element.name))
    }
}

fn object(shapes: &Shapes, known: &Struct, element: &Element) -> Result<Value, String> {
    let mut whole = Map::new();
    for member in &known.members {
        let found: Vec<&Element> =
            element.children.iter().filter(|child| child.name == member.wire).collect();
        if !found.is_empty() && !is_empty_scalar(&member.kind, &found) {
            whole.insert(member.name.to_owned(), value(shapes, member, &found)?);
        }
    }
    for child in &element.children {
        let is_known = known.members.iter().any(|member| member.wire == child.name);
        if !is_known && !whole.contains_key(&child.name) {
            whole.insert(child.name.clone(), unknown(child));
        }
    }
    Ok(Value::Object(whole))
}

/// Whether an element holds nothing where only a number or a truth value could stand: it tells as much as an absent one.
fn is_empty_scalar(kind: &Kind, found: &[&Element]) -> bool {
    let is_scalar = match kind {
        Kind::Bool | Kind::Integer | Kind::Float => true,
        Kind::Text | Kind::Struct(_) | Kind::List { .. } => false,
    };
    is_scalar && found.iter().all(|one| one.children.is_empty() && one.text.trim().is_empty())
}

/// A member's value, from all elements of its name.
fn value(shapes: &Shapes, member: &Member, found: &[&Element]) -> Result<Value, String> {
    let of_item = |element: &Element, kind: &Kind| single(shapes, kind, element);
    let once = || match found {
        [one] => Ok(*one),
        _ => Err(format!("`{}` comes {} times", member.wire, found.len())),
    };
    match &member.kind {
        Kind::List { item: None, of } => found
            .iter()
            .map(|element| of_item(element, of))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        Kind::List { item: Some(item), of } => {
            let list = once()?;
            if let Some(other) = list.children.iter().find(|child| child.name != *item) {
                return Err(format!("`{}` in the list `{}` of `{item}`", other.name, member.wire));
            }
            if list.children.is_empty() && !list.text.trim().is_empty() {
                return Err(format!("text in the list `{}`", member.wire));
            }
            list.children
                .iter()
                .map(|element| of_item(element, of))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        kind => of_item(once()?, kind),
    }
}

/// A value that is no list.
fn single(shapes: &Shapes, kind: &Kind, element: &Element) -> Result<Value, String> {
    let text = element.text.as_str();
    let wrong = |what: &str| format!("`{}` is `{text}` where {what} was expected", element.name);
    match kind {
        Kind::Text if element.children.is_empty() => Ok(Value::String(text.to_owned())),
        Kind::Text => Err(format!("elements in `{}` where text was expected", element.name)),
        Kind::Bool => match text.trim() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong("`true` or `false`")),
        },
        Kind::Integer => text
            .trim()
            .parse()
            .map(|number: i64| Value::Number(number.into()))
            .map_err(|_| wrong("a number")),
        Kind::Float => text
            .trim()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number)
            .ok_or_else(|| wrong("a number")),
        Kind::Struct(shape) => {
            let known = shapes.get(shape).ok_or_else(|| format!("no shape `{shape}`"))?;
            object(shapes, known, element)
        }
        Kind::List { .. } => Err(format!("a list of lists in `{}`", element.name)),
    }
}

/// What no shape knows.
fn unknown(element: &Element) -> Value {
    let is_list = |name: &str| element.children.iter().all(|child| child.name == name);
    if element.children.is_empty() {
        Value::String(element.text.clone())
    } else if is_list("item") || is_list("member") {
        element.children.iter().map(unknown).collect()
    } else {
        element.children.iter().map(|child| (child.name.clone(), unknown(child))).collect()
    }
}

/// Each row that answers XML names a shape that is there, with its list and its tokens.
#[cfg(test)]
pub(crate) fn assert_shapes(calls: impl Iterator<Item = &'static crate::call::Call>) {
    for call in calls.filter(|call| !call.shape.is_empty()) {
        let shapes = Shapes::of(call.service);
        let kind_at = |path: &str| {
            path.split('/').try_fold(Kind::Struct(call.shape), |kind, name| {
                let Kind::Struct(shape) = kind else { return None };
                let member =
                    shapes.get(shape)?.members.iter().find(|member| member.name == name)?;
                Some(member.kind.clone())
            })
        };
        assert!(shapes.get(call.shape).is_some(), "{}", call.name());
        if let Some(path) = call.items.path() {
            assert!(matches!(kind_at(path), Some(Kind::List { .. })), "{} {path}", call.name());
        }
        if let Some(paging) = call.paging {
            assert_eq!(kind_at(paging.token_out), Some(Kind::Text), "{}", call.name());
            assert!(
                paging.more.is_none_or(|more| kind_at(more) == Some(Kind::Bool)),
                "{}",
                call.name()
            );
        }
    }
}

#[cfg(test)]
mod tests;
