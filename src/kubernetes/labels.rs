//! Labels of objects that stay in memory: sorted, and shared between the thousands of objects that carry the same.

use std::collections::HashSet;
use std::sync::Arc;

/// Labels, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(Box<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// The value of a label.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        let place = self.0.binary_search_by(|(own, _)| (**own).cmp(key)).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Those whose keys are `wanted`.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| wanted(key)).cloned().collect())
    }
}

/// Of a key given twice the last value counts.
impl<K: Into<Arc<str>>, V: Into<Arc<str>>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(labels: I) -> Self {
        let mut all: Vec<(Arc<str>, Arc<str>)> =
            labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        // A stable sort, so that the last of equals comes last.
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut unique: Vec<(Arc<str>, Arc<str>)> = Vec::with_capacity(all.len());
        for label in all {
            match unique.last_mut() {
                Some(last) if last.0 == label.0 => *last = label,
                _ => unique.push(label),
            }
        }
        Self(unique.into())
    }
}

/// Gives out one copy of each text, however many objects carry it.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    sweep_at: usize,
}

/// Texts below this number are not worth a sweep.
const FIRST_SWEEP: usize = 4096;

impl Interner {
    /// The shared copy of a text.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.texts.get(text) {
            return shared.clone();
        }
        // Nodes come and go for months, each with names of its own: those that nobody holds any more are let go.
        if self.texts.len() >= self.sweep_at.max(FIRST_SWEEP) {
            self.texts.retain(|text| Arc::strong_count(text) > 1);
            self.sweep_at = 2 * self.texts.len();
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(shared.clone());
        shared
    }

    /// Shared copies of labels.
    pub fn labels<'t>(&mut self, labels: impl IntoIterator<Item = (&'t String, &'t String)>) -> Labels {
        labels.into_iter().map(|(key, value)| (self.share(key), self.share(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_by_key_and_the_last_of_two_counts() {
        let labels: Labels = [("b", "2"), ("a", "1"), ("b", "3")].into_iter().collect();
        assert_eq!(labels.get("a").map(|value| &**value), Some("1"));
        assert_eq!(labels.get("b").map(|value| &**value), Some("3"));
        assert_eq!(labels.get("c"), None);
        assert_eq!(labels.iter().count(), 2);
        assert_eq!(labels.only(|key| key == "a").iter().count(), 1);
    }

    #[test]
    fn equal_texts_are_one_and_those_that_nobody_holds_are_let_go() {
        let mut interner = Interner::default();
        let kept = interner.share("kept");
        assert!(Arc::ptr_eq(&kept, &interner.share("kept")));
        for number in 0..20 * FIRST_SWEEP {
            interner.share(&number.to_string());
        }
        assert!(interner.texts.len() <= FIRST_SWEEP, "{}", interner.texts.len());
        assert!(Arc::ptr_eq(&kept, &interner.share("kept")));
    }
}
