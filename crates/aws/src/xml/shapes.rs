//! The shapes of answers in XML, read from text.
//!
//! A line is a structure's name and its members; an indented line goes on with more members. A member is its name, then
//! `=` and its element's name where that is not the usual (for EC2 the name with a small first letter, else the name
//! itself), then its type: nothing for text, `?` for true or false, `#` for a whole number, `~` for another number,
//! `:Name` for a structure, `[type]` for a list, where type is a structure's name or `text`, `int`, `float`, `bool`.
//! The elements of a list are `item` for EC2 and `member` for others unless `/name` follows the type; with `*` before
//! the type the members of the list stand directly in the structure. Names and types are those of AWS's service models.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::service::Service;

/// What a member's value is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Text,
    Bool,
    Integer,
    Float,
    Struct(&'static str),
    List {
        /// The name of its elements; none where they stand directly in the structure.
        item: Option<&'static str>,
        of: Box<Kind>,
    },
}

/// A member of a structure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Member {
    pub name: &'static str,
    /// The element's name.
    pub wire: String,
    pub kind: Kind,
}

/// A structure.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Struct {
    pub members: Vec<Member>,
}

/// The structures of a service.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    by_name: BTreeMap<&'static str, Struct>,
    /// Lines that cannot be read; a test sees to it that there are none.
    pub faults: Vec<String>,
}

macro_rules! read {
    ($name:ident, $file:literal, $usual:expr) => {
        static $name: LazyLock<Shapes> =
            LazyLock::new(|| Shapes::read(include_str!(concat!("shapes/", $file, ".txt")), $usual));
    };
}

/// What is usual in a service: how a name becomes an element's, and what the elements of a list are called.
#[derive(Clone, Copy)]
struct Usual {
    small_first: bool,
    item: &'static str,
}

const EC2_WAY: Usual = Usual { small_first: true, item: "item" };
const OTHERS: Usual = Usual { small_first: false, item: "member" };

read!(EC2, "ec2", EC2_WAY);
read!(ELB, "elb", OTHERS);
read!(ELB_V2, "elbv2", OTHERS);
read!(STS, "sts", OTHERS);
read!(CLOUD_FRONT, "cloudfront", OTHERS);
read!(S3, "s3", OTHERS);
static NONE: LazyLock<Shapes> = LazyLock::new(Shapes::default);

impl Shapes {
    /// Those of a service; none for one that answers JSON.
    pub fn of(service: Service) -> &'static Self {
        match service {
            Service::Ec2 => &EC2,
            Service::Elb => &ELB,
            Service::ElbV2 => &ELB_V2,
            Service::Sts => &STS,
            Service::CloudFront => &CLOUD_FRONT,
            Service::S3 => &S3,
            Service::ApiGateway
            | Service::Config
            | Service::NetworkFirewall
            | Service::Organizations
            | Service::Ram
            | Service::Resolver
            | Service::Shield
            | Service::Sqs
            | Service::Waf
            | Service::WafRegional
            | Service::WafV2 => &NONE,
        }
    }

    /// A structure by its name.
    pub fn get(&self, name: &str) -> Option<&Struct> {
        self.by_name.get(name)
    }

    fn read(text: &'static str, usual: Usual) -> Self {
        let mut shapes = Self::default();
        let mut current = "";
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut words = line.split_whitespace();
            if !line.starts_with(' ') {
                current = words.next().unwrap_or_default();
                if shapes.by_name.insert(current, Struct::default()).is_some() {
                    shapes.faults.push(format!("`{current}` comes twice"));
                }
            }
            for word in words {
                match (member(word, usual), shapes.by_name.get_mut(current)) {
                    (Some(member), Some(known)) => known.members.push(member),
                    _ => shapes.faults.push(format!("`{word}` of `{current}` is no member")),
                }
            }
        }
        shapes
    }

    /// Every structure that a member names and that is not there.
    #[cfg(test)]
    pub fn missing(&self) -> Vec<&'static str> {
        fn named(kind: &Kind) -> Option<&'static str> {
            match kind {
                Kind::Struct(name) => Some(name),
                Kind::List { of, .. } => named(of),
                Kind::Text | Kind::Bool | Kind::Integer | Kind::Float => None,
            }
        }
        let members = self.by_name.values().flat_map(|known| &known.members);
        members
            .filter_map(|member| named(&member.kind))
            .filter(|name| self.get(name).is_none())
            .collect()
    }

    /// The structures and how many members they have together.
    #[cfg(test)]
    pub fn size(&self) -> (usize, usize) {
        (self.by_name.len(), self.by_name.values().map(|known| known.members.len()).sum())
    }
}

fn member(word: &'static str, usual: Usual) -> Option<Member> {
    let end = word.find(['=', '?', '#', '~', ':', '[']).unwrap_or(word.len());
    let (name, rest) = word.split_at_checked(end)?;
    let mut characters = name.chars();
    let first = characters.next()?;
    let (wire, kind) = match rest.strip_prefix('=') {
        Some(rest) => {
            let end = rest.find(['?', '#', '~', ':', '[']).unwrap_or(rest.len());
            let (wire, kind) = rest.split_at_checked(end)?;
            (wire.to_owned(), kind)
        }
        None if usual.small_first => {
            (first.to_ascii_lowercase().to_string() + characters.as_str(), rest)
        }
        None => (name.to_owned(), rest),
    };
    let kind = match kind {
        "" => Kind::Text,
        "?" => Kind::Bool,
        "#" => Kind::Integer,
        "~" => Kind::Float,
        other => match other.strip_prefix(':') {
            Some(shape) => Kind::Struct(shape),
            None => list(other.strip_prefix('[')?.strip_suffix(']')?, usual)?,
        },
    };
    (!wire.is_empty()).then_some(Member { name, wire, kind })
}

fn list(inside: &'static str, usual: Usual) -> Option<Kind> {
    let (of, item) = match inside.strip_prefix('*') {
        Some(of) => (of, None),
        None => {
            let (of, item) = inside.split_once('/').unwrap_or((inside, usual.item));
            (of, Some(item))
        }
    };
    let of = match of {
        "" => return None,
        "text" => Kind::Text,
        "int" => Kind::Integer,
        "float" => Kind::Float,
        "bool" => Kind::Bool,
        name => Kind::Struct(name),
    };
    Some(Kind::List { item, of: Box::new(of) })
}
