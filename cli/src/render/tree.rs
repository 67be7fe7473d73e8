//! The component tree: every list of resources follows it.

use lsinfra_engine::Urn;

/// A component with what is in it. The root has an empty name.
#[derive(Debug)]
pub(crate) struct Component<T> {
    /// Its name.
    pub(crate) name: String,
    /// The items that are directly in it, in the order in which they came.
    pub(crate) items: Vec<T>,
    /// The components in it, in the order in which they first came.
    pub(crate) components: Vec<Component<T>>,
}

impl<T> Component<T> {
    /// The tree of items by their URNs.
    pub(crate) fn from_items<'a>(items: impl IntoIterator<Item = (&'a Urn, T)>) -> Self {
        let mut root = Self::empty("");
        for (urn, item) in items {
            let mut place = &mut root;
            for name in urn.components() {
                let position = match place.components.iter().position(|component| component.name == name) {
                    Some(position) => position,
                    None => {
                        place.components.push(Self::empty(name));
                        place.components.len() - 1
                    }
                };
                place = &mut place.components[position];
            }
            place.items.push(item);
        }
        root
    }

    fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), items: Vec::new(), components: Vec::new() }
    }

    /// Calls `heading` for each component and `item` for each item, with the depth: items first,
    /// then components, each followed by what is in it.
    pub(crate) fn walk(&self, heading: &mut impl FnMut(usize, &str), item: &mut impl FnMut(usize, &T)) {
        self.walk_at(0, heading, item);
    }

    fn walk_at(&self, depth: usize, heading: &mut impl FnMut(usize, &str), item: &mut impl FnMut(usize, &T)) {
        for one in &self.items {
            item(depth, one);
        }
        for component in &self.components {
            heading(depth, &component.name);
            component.walk_at(depth + 1, heading, item);
        }
    }
}

/// The last part of the type and the name: `Vpc/main`.
pub(crate) fn brief_name(urn: &Urn) -> String {
    let kind = urn.resource_type().rsplit(':').next().unwrap_or_default();
    format!("{kind}/{}", urn.name())
}

/// Type and name, as shown below their component: `aws:ec2:Vpc main`.
pub(crate) fn short_name(urn: &Urn) -> String {
    format!("{} {}", urn.resource_type(), urn.name())
}
