//! What the names of a crate stand for: which file defines what a path names.

use std::collections::BTreeMap;

use super::file::File;

/// A module with a file of its own.
#[derive(Debug)]
pub struct Module {
    /// The file's name below the crate's folder of sources.
    pub name: String,
    pub parent: Option<usize>,
    pub file: File,
    /// Child modules by name.
    pub children: BTreeMap<String, usize>,
}

/// The modules of a crate; the first is its root.
#[derive(Debug, Default)]
pub struct Modules(pub Vec<Module>);

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
    /// Something of another crate, or a name that is not known here.
    Elsewhere,
}

/// Imports that lead to imports: more than this are a circle themselves.
const HOPS_MAX: usize = 16;

impl Modules {
    /// Reads the modules that hang together below `root`; `load` gives the text of a file.
    pub fn read(root: &str, load: &dyn Fn(&str) -> Option<String>) -> Modules {
        let mut modules = Modules::default();
        modules.add(root, None, load);
        modules
    }

    fn add(
        &mut self,
        name: &str,
        parent: Option<usize>,
        load: &dyn Fn(&str) -> Option<String>,
    ) -> Option<usize> {
        let file = File::read(&load(name)?);
        let at = self.0.len();
        let children = file.children.clone();
        self.0.push(Module { name: name.to_owned(), parent, file, children: BTreeMap::new() });
        for child in children {
            let folder = folder(name);
            let names = [format!("{folder}{child}.rs"), format!("{folder}{child}/mod.rs")];
            let found = names.iter().find_map(|name| self.add(name, Some(at), load));
            if let (Some(found), Some(module)) = (found, self.0.get_mut(at)) {
                module.children.insert(child, found);
            }
        }
        Some(at)
    }

    /// What a path that is written in module `at` stands for.
    pub fn meaning(&self, at: usize, parts: &[String]) -> Meaning {
        self.resolve(at, parts, false, HOPS_MAX)
    }

    /// `as_module`: more follows, so that of a module and an item of one name the module is meant.
    fn resolve(&self, at: usize, parts: &[String], as_module: bool, hops: usize) -> Meaning {
        let (mut here, mut rest) = (at, parts);
        let mut is_inside = false;
        while let Some((first, after)) = rest.split_first() {
            here = match first.as_str() {
                "crate" if !is_inside => 0,
                "self" if !is_inside => here,
                "super" => match self.0.get(here).and_then(|module| module.parent) {
                    Some(parent) => parent,
                    None => return Meaning::Elsewhere,
                },
                name => {
                    let more = as_module || !after.is_empty();
                    match self.lookup(here, name, more, hops) {
                        Meaning::Module(next) => next,
                        // What an item has inside is in its file; a macro may have made the item.
                        Meaning::Elsewhere if is_inside && !self.imports(here, name) => {
                            return Meaning::Item(here);
                        }
                        found => return found,
                    }
                }
            };
            is_inside = true;
            rest = after;
        }
        Meaning::Module(here)
    }

    /// A module's own import says what the name stands for.
    fn imports(&self, at: usize, name: &str) -> bool {
        self.0
            .get(at)
            .is_some_and(|module| module.file.imports.iter().any(|import| import.name == name))
    }

    /// What one name stands for in a module.
    fn lookup(&self, at: usize, name: &str, as_module: bool, hops: usize) -> Meaning {
        let (Some(module), Some(hops)) = (self.0.get(at), hops.checked_sub(1)) else {
            return Meaning::Elsewhere;
        };
        let child = module.children.get(name).map(|child| Meaning::Module(*child));
        let item = module.file.items.contains(name).then_some(Meaning::Item(at));
        let own = if as_module { child.or(item) } else { item.or(child) };
        let imported = || {
            let named = module.file.imports.iter().filter(|import| import.name == name);
            let found = named.map(|import| self.resolve(at, &import.path.parts, as_module, hops));
            found.reduce(|first, next| if first == Meaning::Elsewhere { next } else { first })
        };
        let by_glob = || {
            let globs = module.file.imports.iter().filter(|import| import.name == "*");
            globs
                .filter_map(|glob| match self.resolve(at, &glob.path.parts, true, hops) {
                    Meaning::Module(of) if of != at => Some(self.lookup(of, name, as_module, hops)),
                    _ => None,
                })
                .find(|found| *found != Meaning::Elsewhere)
        };
        let perhaps = || module.file.perhaps.contains(name).then_some(Meaning::Item(at));
        own.or_else(imported).or_else(by_glob).or_else(perhaps).unwrap_or(Meaning::Elsewhere)
    }
}

/// The folder of a file's child modules.
fn folder(name: &str) -> String {
    let (above, last) = name.rsplit_once('/').map_or(("", name), |(above, last)| (above, last));
    let above = if above.is_empty() { String::new() } else { format!("{above}/") };
    match last {
        "lib.rs" | "main.rs" | "mod.rs" => above,
        other => format!("{above}{}/", other.strip_suffix(".rs").unwrap_or(other)),
    }
}
