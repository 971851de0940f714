//! The shape table: what the model says of every shape, as static data that the decoders and the constraint check walk.

use std::sync::OnceLock;

use regex::Regex;

/// The place of a shape in its [`Table`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ShapeId(pub u16);

/// All shapes of one service.
#[derive(Debug)]
pub struct Table {
    shapes: &'static [Shape],
}

impl Table {
    /// A table whose [`ShapeId`]s are the places in `shapes`.
    pub const fn new(shapes: &'static [Shape]) -> Self {
        Self { shapes }
    }

    /// The shape of this id; a shape without members for an id of another table.
    pub fn shape(&self, id: ShapeId) -> &'static Shape {
        static NOTHING: Shape =
            Shape { name: "", kind: Kind::Structure(&[]), constraints: Constraints::NONE };
        self.shapes.get(usize::from(id.0)).unwrap_or(&NOTHING)
    }

    /// The shape of this name and its id.
    pub fn find(&self, name: &str) -> Option<(ShapeId, &'static Shape)> {
        let index = self.shapes.iter().position(|s| s.name == name)?;
        Some((ShapeId(u16::try_from(index).ok()?), self.shapes.get(index)?))
    }

    /// Every shape with its id.
    pub fn iter(&self) -> impl Iterator<Item = (ShapeId, &'static Shape)> + use<> {
        (0u16..).map(ShapeId).zip(self.shapes)
    }
}

/// One shape of the model.
#[derive(Debug)]
pub struct Shape {
    /// The name in the model.
    pub name: &'static str,
    /// What values of it look like.
    pub kind: Kind,
    /// What values of it must satisfy.
    pub constraints: Constraints,
}

/// What values of a shape look like, and of what shapes their parts are.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Named members; those of other names are ignored.
    Structure(&'static [Member]),
    /// Exactly one of these members.
    Union(&'static [Member]),
    /// Any number of one shape; `null` items only when sparse.
    List {
        /// The shape of each item.
        member: ShapeId,
        /// Whether items may be null.
        sparse: bool,
    },
    /// Text keys to one shape; `null` values only when sparse.
    Map {
        /// The shape of each key, a string or an enum.
        key: ShapeId,
        /// The shape of each value.
        value: ShapeId,
        /// Whether values may be null.
        sparse: bool,
    },
    /// Text.
    String,
    /// One of these texts.
    Enum(&'static [&'static str]),
    /// True or false.
    Boolean,
    /// A whole number of 8 bits.
    Byte,
    /// A whole number of 16 bits.
    Short,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number of single precision.
    Float,
    /// A number of double precision.
    Double,
    /// Bytes: base64 in JSON, a byte string in CBOR.
    Blob,
    /// A moment; the format is that of JSON, CBOR always has tag 1.
    Timestamp(TimestampFormat),
    /// Anything that JSON can say.
    Document,
}

/// How JSON writes a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimestampFormat {
    /// A number of seconds since 1970, with an optional fraction.
    EpochSeconds,
    /// RFC 3339 text.
    DateTime,
    /// The date text of HTTP headers.
    HttpDate,
}

/// A member of a structure or union.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// The shape of its value.
    pub shape: ShapeId,
    /// Whether a request without it is refused.
    pub required: bool,
    /// Constraints that hold here in place of the shape's own.
    pub constraints: Option<&'static Constraints>,
}

/// Bounds on a value; each is checked on the kinds of shape it makes sense for.
#[derive(Clone, Copy, Debug)]
pub struct Constraints {
    /// Least length: of text in characters, of blobs in bytes, of lists and maps in entries.
    pub length_min: Option<u64>,
    /// Greatest length.
    pub length_max: Option<u64>,
    /// Least number.
    pub range_min: Option<f64>,
    /// Greatest number.
    pub range_max: Option<f64>,
    /// What text must match.
    pub pattern: Option<&'static Pattern>,
    /// Whether the items of a list must differ.
    pub unique: bool,
}

impl Constraints {
    /// No bounds.
    pub const NONE: Self = Self {
        length_min: None,
        length_max: None,
        range_min: None,
        range_max: None,
        pattern: None,
        unique: false,
    };
}

/// The one pattern of the model with a look-ahead (shape `ManagedServiceData`), which no linear engine has.
const NO_ESCAPED_BREAK: &str = r"^((?!\\[nr]).)+";

/// A regular expression of the model, compiled when first used and matched in time linear in the text.
///
/// AWS's engine is Java's: `\w` and `\d` are ASCII there, and an expression without anchors may match anywhere.
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern of this text.
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    /// The expression as the model writes it.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Whether `value` satisfies the pattern. A pattern that does not compile is satisfied by nothing.
    pub fn matches(&self, value: &str) -> bool {
        if self.text == NO_ESCAPED_BREAK {
            return has_no_escaped_break(value);
        }
        let compile = || {
            let ascii = self.text.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]");
            Regex::new(&ascii).ok()
        };
        self.compiled.get_or_init(compile).as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

/// `^((?!\\[nr]).)+` read over the whole text: one line, not empty, and nowhere a backslash followed by `n` or `r`.
fn has_no_escaped_break(value: &str) -> bool {
    let line_breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    !value.is_empty()
        && !value.contains(line_breaks)
        && !value.contains("\\n")
        && !value.contains("\\r")
}

/// A generated type and its place in the service's shape table.
pub trait Shaped {
    /// The shape.
    const SHAPE: ShapeId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TABLE;

    #[test]
    fn every_pattern_of_the_model_compiles() {
        for (_, shape) in TABLE.iter() {
            let Some(pattern) = shape.constraints.pattern else { continue };
            pattern.matches("");
            assert!(
                pattern.text == NO_ESCAPED_BREAK || pattern.compiled.get().unwrap().is_some(),
                "{pattern:?}"
            );
        }
    }

    #[test]
    fn managed_service_data_is_one_line_without_escaped_breaks() {
        for (value, expected) in [
            (r#"{"type":"WAFV2"}"#, true),
            (r#"{"a":"\t"}"#, true),
            ("", false),
            ("{\n}", false),
            ("{}\r", false),
            (r#"{"a":"x\ny"}"#, false),
            (r#"{"a":"\r"}"#, false),
            (r#"ends with \"#, true),
        ] {
            assert_eq!(has_no_escaped_break(value), expected, "{value:?}");
        }
    }

    #[test]
    fn word_and_digit_classes_are_ascii() {
        static REGION: Pattern = Pattern::new(r"^(us|eu)-\w+-\d+$");
        assert!(REGION.matches("eu-west-1"));
        assert!(!REGION.matches("eu-wést-1"));
        assert!(!REGION.matches("eu-west-١"));
    }

    #[test]
    fn shapes_are_found_by_name_and_by_id() {
        let (id, shape) = TABLE.find("Policy").unwrap();
        assert_eq!(TABLE.shape(id).name, shape.name);
        assert_eq!(TABLE.iter().count(), 300);
        assert!(TABLE.find("Polygon").is_none());
    }
}
