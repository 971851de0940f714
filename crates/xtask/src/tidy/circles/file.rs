//! What one file declares, imports and names, read from its tokens.

use std::collections::BTreeSet;

use super::tokens::{Token, shipped};

/// A path as it is written, and its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub parts: Vec<String>,
    pub line: usize,
}

/// A `use`: the name that it brings in, and the path that the name stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// `*` for all names of a module.
    pub name: String,
    pub path: Path,
    /// It hands the name on, which by itself is no use of it.
    pub is_public: bool,
}

/// What a file says of others.
#[derive(Debug, Default)]
pub struct File {
    /// Names of its child modules that have a file.
    pub children: Vec<String>,
    /// Names of the items that it defines.
    pub items: BTreeSet<String>,
    /// Names that one of its macros may define.
    pub perhaps: BTreeSet<String>,
    pub imports: Vec<Import>,
    /// Paths and lone names in its code.
    pub paths: Vec<Path>,
}

impl File {
    /// Reads the text of one file.
    pub fn read(text: &str) -> File {
        let tokens = shipped(text);
        let mut file = File::default();
        let mut reader = Reader { tokens: &tokens, at: 0, depth: 0, is_public: false };
        while let Some(token) = reader.peek(0) {
            reader.step(token, &mut file);
        }
        file
    }
}

const DEFINING: [&str; 9] =
    ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod"];

struct Reader<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    /// How many brackets are open.
    depth: usize,
    /// The item that begins here is `pub`.
    is_public: bool,
}

impl<'t> Reader<'t> {
    fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn is(&self, ahead: usize, text: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.text == text)
    }

    fn before(&self, back: usize) -> &'t str {
        let at = self.at.checked_sub(back);
        at.and_then(|at| self.tokens.get(at)).map_or("", |token| token.text)
    }

    /// Reads what begins at `token`, and goes behind it.
    fn step(&mut self, token: Token<'t>, file: &mut File) {
        match token.text {
            "{" | "(" | "[" => self.depth += 1,
            "}" | ")" | "]" => self.depth = self.depth.saturating_sub(1),
            "pub" => self.is_public = true,
            ";" | "=" => self.is_public = false,
            "use" if !self.is(1, "<") => {
                self.at += 1;
                self.import(&[], file);
                self.is_public = false;
                return;
            }
            word if DEFINING.contains(&word) => self.define(word, file),
            _ if token.is_word() => return self.word(token, file),
            _ => {}
        }
        self.at += 1;
    }

    /// `fn name`, `struct Name`, `mod name;`: names of other depths are no items of the file.
    fn define(&mut self, keyword: &str, file: &mut File) {
        let Some(name) = self.peek(1).filter(Token::is_word) else { return };
        if DEFINING.contains(&name.text) || name.text == "unsafe" {
            return;
        }
        // The name itself is no use of one.
        self.at += 1;
        if self.depth == 0 && keyword == "mod" && self.is(1, ";") {
            file.children.push(name.text.to_owned());
        } else if self.depth == 0 {
            file.items.insert(name.text.to_owned());
        }
        self.is_public = false;
    }

    /// A path, or a lone name.
    fn word(&mut self, first: Token<'t>, file: &mut File) {
        let is_part = ["::", "."].contains(&self.before(1)) && !self.before(2).is_empty();
        // `a..b` is a range.
        let is_part = is_part && !(self.before(1) == "." && self.before(2) == ".");
        let is_attribute = self.before(1) == "[" && ["#", "!"].contains(&self.before(2));
        let mut parts = vec![first.text.to_owned()];
        self.at += 1;
        if self.depth == 0 && self.is(0, "!") {
            if first.text == "macro_rules" {
                file.items.extend(self.peek(1).map(|name| name.text.to_owned()));
            }
            self.perhaps(file);
        }
        while self.is(0, "::")
            && let Some(next) = self.peek(1).filter(Token::is_word)
        {
            parts.push(next.text.to_owned());
            self.at += 2;
        }
        // A lone word in lower case may be a variable, or an attribute.
        let is_type = first.text.starts_with(char::is_uppercase);
        let is_called = (self.is(0, "(") || self.is(0, "!")) && !is_attribute;
        let is_named = parts.len() > 1 || is_type || is_called;
        if !is_part && is_named {
            file.paths.push(Path { parts, line: first.line });
        }
    }

    /// Names within the brackets of a macro that makes items.
    fn perhaps(&self, file: &mut File) {
        let mut depth = 0_usize;
        for token in self.tokens.get(self.at..).unwrap_or_default() {
            match token.text {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" if depth <= 1 => return,
                "}" | ")" | "]" => depth -= 1,
                word if word.starts_with(char::is_uppercase) => {
                    file.perhaps.insert(word.to_owned());
                }
                _ => {}
            }
        }
    }

    /// One branch of a `use`, up to its `;`, its `,` or the bracket around it.
    fn import(&mut self, stem: &[String], file: &mut File) {
        let mut parts = stem.to_vec();
        let mut line = 0;
        while let Some(token) = self.peek(0) {
            line = token.line;
            match token.text {
                "{" => return self.branches(&parts, file),
                "," | ";" | "}" => break,
                "::" => {}
                "as" => {
                    let name = self.peek(1).map_or("", |name| name.text).to_owned();
                    self.at += 2;
                    return self.imported(name, parts, line, file);
                }
                part => parts.push(part.to_owned()),
            }
            self.at += 1;
        }
        if parts.last().is_some_and(|part| part == "self") && parts.len() > 1 {
            parts.pop();
        }
        let name = parts.last().cloned().unwrap_or_default();
        if name == "*" {
            parts.pop();
        }
        self.imported(name, parts, line, file);
    }

    fn branches(&mut self, stem: &[String], file: &mut File) {
        self.at += 1;
        while self.peek(0).is_some() && !self.is(0, "}") {
            self.import(stem, file);
            if self.is(0, ",") {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn imported(&self, name: String, parts: Vec<String>, line: usize, file: &mut File) {
        if !name.is_empty() {
            let path = Path { parts, line };
            file.imports.push(Import { name, path, is_public: self.is_public });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path) -> String {
        format!("{} {}", path.line, path.parts.join("::"))
    }

    #[test]
    fn imports_are_told_with_their_branches() {
        let file = File::read(
            "use a::b;\npub(crate) use c::{self, d as e, f::{g, *}};\nfn h() -> impl I + use<'_> {}",
        );
        let found: Vec<String> = file
            .imports
            .iter()
            .map(|found| format!("{} {} {}", found.name, written(&found.path), found.is_public))
            .collect();
        let expected =
            ["b 1 a::b false", "c 2 c true", "e 2 c::d true", "g 2 c::f::g true", "* 2 c::f true"];
        assert_eq!(found, expected);
    }

    #[test]
    fn items_children_and_what_macros_make_are_told() {
        let file = File::read(
            "pub mod a;\nmod b { struct C; }\nconst fn d() {}\npub const E: u8 = 1;\nname! { F, g }\n\
             impl H { fn i() {} }\nmacro_rules! j { () => {} }",
        );
        assert_eq!(file.children, ["a"]);
        assert_eq!(file.items.iter().collect::<Vec<_>>(), ["E", "b", "d", "j"]);
        assert!(file.perhaps.contains("F"), "{:?}", file.perhaps);
    }

    #[test]
    fn paths_are_told_where_they_begin() {
        let file = File::read(
            "#[n(o)]\nfn a() {\n  let b = c::D::e(f, g(1));\n  b.h().i::<J>();\n  ::k::l();\n m!();\n}",
        );
        let found: Vec<String> = file.paths.iter().map(written).collect();
        assert_eq!(found, ["3 c::D::e", "3 g", "4 J", "6 m"]);
    }
}
