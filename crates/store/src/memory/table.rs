//! A map that remembers what it was before a transaction.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;

/// Rows by key. Writes are kept or undone together.
pub struct Table<K, V> {
    rows: RefCell<BTreeMap<K, V>>,
    /// What the transaction overwrote, oldest first.
    undo: RefCell<Vec<(K, Option<V>)>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table { rows: RefCell::default(), undo: RefCell::default() }
    }
}

impl<K: Clone + Ord, V: Clone> Table<K, V> {
    /// All rows.
    pub fn rows(&self) -> Ref<'_, BTreeMap<K, V>> {
        self.rows.borrow()
    }

    /// One row.
    pub fn get(&self, key: &K) -> Option<V> {
        self.rows.borrow().get(key).cloned()
    }

    /// Adds or replaces a row.
    pub fn put(&self, key: K, row: V) {
        let before = self.rows.borrow_mut().insert(key.clone(), row);
        self.undo.borrow_mut().push((key, before));
    }

    /// Drops a row. Answers whether there was one.
    pub fn drop(&self, key: &K) -> bool {
        let Some(before) = self.rows.borrow_mut().remove(key) else { return false };
        self.undo.borrow_mut().push((key.clone(), Some(before)));
        true
    }

    /// Drops the rows that `is_dropped` says. Answers how many.
    pub fn drop_if(&self, is_dropped: impl Fn(&K, &V) -> bool) -> usize {
        let rows = self.rows.borrow();
        let keys: Vec<K> = rows
            .iter()
            .filter(|(key, row)| is_dropped(key, row))
            .map(|(key, _)| key.clone())
            .collect();
        drop(rows);
        keys.iter().filter(|key| self.drop(key)).count()
    }

    /// Drops all rows.
    pub fn clear(&self) {
        self.drop_if(|_, _| true);
    }

    /// Changes a row, if there is one. Answers whether there is.
    pub fn change(&self, key: &K, change: impl FnOnce(&mut V)) -> bool {
        let Some(mut row) = self.get(key) else { return false };
        change(&mut row);
        self.put(key.clone(), row);
        true
    }

    /// Changes all rows for which `is_changed` holds.
    pub fn change_if(&self, is_changed: impl Fn(&K, &V) -> bool, change: impl Fn(&mut V)) {
        let rows = self.rows.borrow();
        let keys: Vec<K> = rows
            .iter()
            .filter(|(key, row)| is_changed(key, row))
            .map(|(key, _)| key.clone())
            .collect();
        drop(rows);
        for key in &keys {
            self.change(key, &change);
        }
    }
}

/// What a transaction ends with, whatever the table's rows.
pub trait Ends {
    /// Keeps what was written.
    fn keep(&self);
    /// Undoes it.
    fn undo(&self);
}

impl<K: Clone + Ord, V: Clone> Ends for Table<K, V> {
    fn keep(&self) {
        self.undo.borrow_mut().clear();
    }

    fn undo(&self) {
        let mut rows = self.rows.borrow_mut();
        for (key, before) in self.undo.borrow_mut().drain(..).rev() {
            match before {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
    }
}
