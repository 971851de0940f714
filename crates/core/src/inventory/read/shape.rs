//! The few building blocks of which the readers of bodies are made: objects whose names are looked
//! up without regard to case, and leaves that take a value in any form Config writes it.
//!
//! Everything is read straight from the raw text into these; nothing is built for fields that no
//! shape names.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, Deserializer, Error, Expected, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::Value;

/// Begins no sentence, but ends each that tells that AWS cannot have written an item (semantics §11 row 69).
pub(in crate::inventory) const TWICE: &str = "stands there twice";

/// Declares an object of which some fields are read. Every field is `Some` when its name is there,
/// in any letter case, with a value other than null. A name that stands there twice is an error (semantics
/// §11 row 69); of a `loose` object the last holds, and of a `noted` one `twice` says so: that one of its names,
/// or two that mean the same, stands there twice.
macro_rules! shape {
    ($(#[$doc:meta])* loose $name:ident { $($fields:tt)+ }) => {
        $crate::inventory::read::shape::shape! { @ false [], $(#[$doc])* $name { $($fields)+ } }
    };
    ($(#[$doc:meta])* noted $name:ident { $($fields:tt)+ }) => {
        $crate::inventory::read::shape::shape! { @ false [twice], $(#[$doc])* $name { $($fields)+ } }
    };
    ($(#[$doc:meta])* $name:ident { $($fields:tt)+ }) => {
        $crate::inventory::read::shape::shape! { @ true [], $(#[$doc])* $name { $($fields)+ } }
    };
    (
        @ $strict:literal [$($twice:ident)?],
        $(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty = $($key:literal)|+),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(in crate::inventory) struct $name<'a> {
            $(pub(in crate::inventory) $field: Option<$kind>,)+
            $(pub(in crate::inventory) $twice: bool,)?
            _text: std::marker::PhantomData<&'a str>,
        }

        impl<'a> serde::Deserialize<'a> for $name<'a> {
            fn deserialize<D: serde::Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'a> serde::de::Visitor<'a> for Object {
                    type Value = $name<'a>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'a>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        /// Names of each field that were there, a bit each.
                        #[derive(Default)]
                        struct Seen {
                            $($field: u8,)+
                        }
                        let mut found = $name::default();
                        let mut seen = Seen::default();
                        let mut is_twice = false;
                        while let Some(key) = map.next_key::<$crate::inventory::read::shape::Key<'a>>()? {
                            $(if let Some(name) = [$($key),+].iter().position(|name| key.is(name)) {
                                let name = 1_u8 << name;
                                if $strict && seen.$field & name != 0 {
                                    return Err(key.twice());
                                }
                                is_twice |= seen.$field & name != 0;
                                seen.$field |= name;
                                if let Some(value) = map
                                    .next_value::<Option<$kind>>()
                                    .map_err(|error| key.blame(error))?
                                {
                                    is_twice |= found.$field.is_some();
                                    found.$field = Some(value);
                                }
                                continue;
                            })+
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        let _ = is_twice;
                        $(found.$twice = is_twice;)?
                        Ok(found)
                    }
                }
                from.deserialize_map(Object)
            }
        }
    };
}
pub(in crate::inventory) use shape;

/// A name in an object.
pub(in crate::inventory) struct Key<'a>(Cow<'a, str>);

impl Key<'_> {
    pub(in crate::inventory) fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// That it stands there twice.
    pub(in crate::inventory) fn twice<E: Error>(&self) -> E {
        E::custom(format_args!("`{}` {TWICE}", self.0))
    }

    /// The name in lower case.
    fn lower(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Says in which field an error lies.
    pub(in crate::inventory) fn blame<E: Error>(&self, error: E) -> E {
        E::custom(format_args!("`{}`: {error}", self.0))
    }
}

impl<'a> Deserialize<'a> for Key<'a> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Name;
        impl<'a> Visitor<'a> for Name {
            type Value = Key<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Key<'a>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Name)
    }
}

/// Where a leaf stands that may be wrapped in an object: the names under which it is looked for.
pub(in crate::inventory) trait Wrap {
    /// What an error says was expected.
    const WHAT: &'static str;
    /// Names of the wrapper's field; `value` is how query results wrap scalars (formats §7).
    const NAMES: &'static [&'static str];
    /// Whether a number or truth value is an error: a number that stands for an id has lost the zeros it
    /// began with.
    const IS_STRING: bool = false;
}

/// Text, given as a string, a number or a truth value, bare or inside an object that names it.
pub(in crate::inventory) struct TextIn<'a, W>(Cow<'a, str>, PhantomData<W>);

impl<'a, W> TextIn<'a, W> {
    pub(in crate::inventory) fn of(text: Cow<'a, str>) -> Self {
        TextIn(text, PhantomData)
    }

    pub(in crate::inventory) fn as_str(&self) -> &str {
        &self.0
    }

    pub(in crate::inventory) fn into_cow(self) -> Cow<'a, str> {
        self.0
    }

    pub(in crate::inventory) fn into_box(self) -> Box<str> {
        self.0.into()
    }

    /// The text, unless it is empty.
    pub(in crate::inventory) fn filled(self) -> Option<Box<str>> {
        (!self.0.is_empty()).then(|| self.0.into())
    }
}

impl<'a, W: Wrap> Deserialize<'a> for TextIn<'a, W> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Leaf<W>(PhantomData<W>);
        impl<'a, W: Wrap> Visitor<'a> for Leaf<W> {
            type Value = TextIn<'a, W>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(W::WHAT)
            }
            fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Self::Value, E> {
                Ok(TextIn::of(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(TextIn::of(Cow::Owned(text.to_owned())))
            }
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
                refused::<W, E>(Unexpected::Bool(truth), &self)?;
                Ok(TextIn::of(Cow::Borrowed(if truth { "true" } else { "false" })))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
                refused::<W, E>(Unexpected::Signed(number), &self)?;
                Ok(TextIn::of(Cow::Owned(number.to_string())))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
                refused::<W, E>(Unexpected::Unsigned(number), &self)?;
                Ok(TextIn::of(Cow::Owned(number.to_string())))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
                refused::<W, E>(Unexpected::Float(number), &self)?;
                // `Display` of a whole float writes no fraction: 22.0 is `22`.
                Ok(TextIn::of(Cow::Owned(number.to_string())))
            }
            fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<Self::Value, A::Error> {
                if W::IS_STRING {
                    let StringOnly(text) = unwrap::<W, StringOnly, A>(map)?;
                    let text = text.ok_or_else(|| A::Error::custom("not a string"))?;
                    return Ok(TextIn::of(Cow::Owned(text.into())));
                }
                unwrap::<W, Text<'a>, A>(map).map(|text| TextIn::of(text.0))
            }
        }
        from.deserialize_any(Leaf(PhantomData::<W>))
    }
}

/// Refuses a scalar that is no string where one has to be.
fn refused<W: Wrap, E: Error>(found: Unexpected<'_>, leaf: &dyn Expected) -> Result<(), E> {
    if W::IS_STRING { Err(E::invalid_type(found, leaf)) } else { Ok(()) }
}

/// Finds the wrapped value in an object; null or missing is an error, so that nothing that an
/// evaluator relies on is dropped in silence.
fn unwrap<'a, W: Wrap, T: Deserialize<'a>, A: MapAccess<'a>>(mut map: A) -> Result<T, A::Error> {
    let (mut found, mut seen) = (None, 0_u8);
    while let Some(key) = map.next_key::<Key<'a>>()? {
        if let Some(name) = W::NAMES.iter().position(|name| key.is(name)) {
            let name = 1_u8 << name;
            if seen & name != 0 {
                return Err(key.twice());
            }
            seen |= name;
            found = map.next_value::<Option<T>>().map_err(|error| key.blame(error))?.or(found);
        } else {
            map.next_value::<IgnoredAny>()?;
        }
    }
    found.ok_or_else(|| {
        A::Error::custom(format_args!("an object without `{}`", W::NAMES.join("` or `")))
    })
}

macro_rules! wraps {
    ($($(#[$doc:meta])* $name:ident = $what:literal in $($key:literal)|+ $(, $is_string:ident)?;)+) => {$(
        $(#[$doc])*
        pub(in crate::inventory) struct $name;
        impl Wrap for $name {
            const WHAT: &'static str = $what;
            const NAMES: &'static [&'static str] = &[$($key),+];
            $(const $is_string: bool = true;)?
        }
    )+};
}

wraps! {
    /// A scalar.
    Scalar = "text" in "value";
    /// The code of a state.
    Code = "a code" in "code" | "value";
    /// What tells whose something is, and where.
    Owned = "a string" in "value", IS_STRING;
    /// A security group's id.
    Group = "a security group id" in "groupId" | "value" | "vpcSecurityGroupId";
    /// A CIDR: Config's bare strings and objects, and the service API's objects.
    Cidr = "a CIDR" in "cidrIp" | "cidrIpv6" | "cidr" | "value";
    /// A prefix list's id.
    PrefixListId = "a prefix list id" in "prefixListId" | "value";
}

/// Text, bare or wrapped as `{"value":…}`.
pub(in crate::inventory) type Text<'a> = TextIn<'a, Scalar>;

/// An account id or a Region: a string (formats §3), bare or wrapped as `{"value":…}`.
pub(in crate::inventory) type IdText<'a> = TextIn<'a, Owned>;

/// A string, bare or wrapped; another scalar tells none.
pub(in crate::inventory) struct StringOnly(pub(in crate::inventory) Option<Box<str>>);

impl<'a> Deserialize<'a> for StringOnly {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Leaf;
        impl<'a> Visitor<'a> for Leaf {
            type Value = StringOnly;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<StringOnly, E> {
                Ok(StringOnly(Some(text.into())))
            }
            fn visit_bool<E: Error>(self, _: bool) -> Result<StringOnly, E> {
                Ok(StringOnly(None))
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<StringOnly, E> {
                Ok(StringOnly(None))
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<StringOnly, E> {
                Ok(StringOnly(None))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<StringOnly, E> {
                Ok(StringOnly(None))
            }
            fn visit_unit<E: Error>(self) -> Result<StringOnly, E> {
                Ok(StringOnly(None))
            }
            fn visit_map<A: MapAccess<'a>>(self, map: A) -> Result<StringOnly, A::Error> {
                unwrap::<Scalar, StringOnly, A>(map)
            }
        }
        from.deserialize_any(Leaf)
    }
}

/// A whole number, given as an integer, a float without fraction (formats §7) or text.
#[derive(Clone, Copy)]
pub(in crate::inventory) struct Whole(pub(in crate::inventory) i64);

impl<'a> Deserialize<'a> for Whole {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(from)?;
        whole(text.as_str()).map(Whole).ok_or_else(|| {
            D::Error::custom(format_args!("`{}` is not a whole number", text.as_str()))
        })
    }
}

/// The whole number that a decimal text says, also as `22.0` or `1.5E3`.
pub(in crate::inventory) fn whole(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    // Up to 2^53 every whole float is exact.
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    exact.then_some(number as i64)
}

/// A truth value, bare, wrapped or as text.
pub(in crate::inventory) struct Flag(pub(in crate::inventory) bool);

impl<'a> Deserialize<'a> for Flag {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(from)?;
        if text.as_str().eq_ignore_ascii_case("true") {
            Ok(Flag(true))
        } else if text.as_str().eq_ignore_ascii_case("false") {
            Ok(Flag(false))
        } else {
            Err(D::Error::custom(format_args!("`{}` is neither true nor false", text.as_str())))
        }
    }
}

/// A list; `{"quantity":n,"items":[…]}` is its items, as `{"value":[…]}` is its value. A null in it is
/// an error: an element that is not told is not no element (semantics §11 row 38).
pub(in crate::inventory) struct Many<T>(pub(in crate::inventory) Vec<T>);

impl<'a, T: Deserialize<'a>> Deserialize<'a> for Many<T> {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'a, T: Deserialize<'a>> Visitor<'a> for List<T> {
            type Value = Many<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = seq.next_element::<Option<T>>()? {
                    all.push(element.ok_or_else(|| A::Error::custom("null in a list"))?);
                }
                Ok(Many(all))
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Many<T>, A::Error> {
                let (mut all, mut empty) = (None, false);
                let mut seen = Vec::new();
                while let Some(key) = map.next_key::<Key<'a>>()? {
                    let name = key.lower();
                    if seen.contains(&name) {
                        return Err(key.twice());
                    }
                    seen.push(name);
                    if key.is("items") || key.is("value") {
                        all = map.next_value::<Option<Many<T>>>()?.or(all);
                    } else if key.is("quantity") {
                        empty =
                            map.next_value::<Option<Whole>>()?.is_some_and(|whole| whole.0 == 0);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                // An object that tells no elements is not a list without any.
                match all {
                    Some(all) => Ok(all),
                    None if empty => Ok(Many(Vec::new())),
                    None => Err(A::Error::custom("an object without `items`, expected a list")),
                }
            }
        }
        from.deserialize_any(List(PhantomData))
    }
}

/// Any value, kept whole. No object in it has a name twice.
pub(in crate::inventory) struct Whatever(pub(in crate::inventory) Value);

impl<'a> Deserialize<'a> for Whatever {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'a> Visitor<'a> for Any {
            type Value = Whatever;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E: Error>(self) -> Result<Whatever, E> {
                Ok(Whatever(Value::Null))
            }
            fn visit_bool<E: Error>(self, truth: bool) -> Result<Whatever, E> {
                Ok(Whatever(truth.into()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Whatever, E> {
                Ok(Whatever(number.into()))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Whatever, E> {
                Ok(Whatever(number.into()))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Whatever, E> {
                Ok(Whatever(number.into()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Whatever, E> {
                Ok(Whatever(text.into()))
            }
            fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Whatever, A::Error> {
                let mut all = Vec::new();
                while let Some(Whatever(element)) = seq.next_element()? {
                    all.push(element);
                }
                Ok(Whatever(all.into()))
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Whatever, A::Error> {
                let (mut all, mut seen) = (serde_json::Map::new(), BTreeSet::new());
                while let Some(key) = map.next_key::<Key<'a>>()? {
                    if !seen.insert(key.lower()) {
                        return Err(key.twice());
                    }
                    let Whatever(value) = map.next_value()?;
                    all.insert(key.0.into_owned(), value);
                }
                Ok(Whatever(all.into()))
            }
        }
        from.deserialize_any(Any)
    }
}

/// The names of an object's members that stand there twice in whatever letter case, as they are written the
/// second time.
pub(in crate::inventory) struct Repeated(pub(in crate::inventory) Vec<String>);

impl<'a> Deserialize<'a> for Repeated {
    fn deserialize<D: Deserializer<'a>>(from: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'a> Visitor<'a> for Names {
            type Value = Repeated;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Repeated, A::Error> {
                let (mut seen, mut repeated) = (BTreeSet::new(), Vec::new());
                while let Some(key) = map.next_key::<Key<'a>>()? {
                    map.next_value::<IgnoredAny>()?;
                    if !seen.insert(key.lower()) {
                        repeated.push(key.0.into_owned());
                    }
                }
                Ok(Repeated(repeated))
            }
        }
        from.deserialize_map(Names)
    }
}

/// Whether a field holds anything at all: the alternative of a union that was chosen.
pub(in crate::inventory) type Present = IgnoredAny;
