//! Stacks as data: what a test declares, changes, and shrinks.

pub(crate) mod edit;
pub(crate) mod generate;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lsinfra_engine::{
    Declaration, Expression, Graph, Options, PhysicalId, Secret, SecretKey, Timeouts, Urn, Value,
};

use crate::cloud::catalog::SimulatedType;
use crate::cloud::world::account_in;

/// What identifies a resource through all edits of its stack, its renames included.
pub(crate) type Key = usize;

/// A stack: resources that refer only to earlier ones.
#[derive(Clone, Default)]
pub(crate) struct StackSpec {
    pub(crate) resources: Vec<ResourceSpec>,
    /// The keys that were ever given out.
    keys: Key,
    /// Resources that were declared once.
    removed: Vec<ResourceSpec>,
}

/// One declared resource. Numbers stand for values; `None` for an input that is not given.
#[derive(Clone)]
pub(crate) struct ResourceSpec {
    pub(crate) key: Key,
    pub(crate) simulated_type: SimulatedType,
    pub(crate) name: String,
    pub(crate) component: Option<String>,
    /// Its physical name, if it is not to be derived from its key.
    pub(crate) physical_name: Option<String>,
    /// Whether its last rename was made since the stack before.
    pub(crate) is_freshly_renamed: bool,
    /// Fixed at creation: another one needs another object.
    pub(crate) identity: u8,
    /// Can be changed in place.
    pub(crate) label: Option<u8>,
    pub(crate) settings: Option<u8>,
    pub(crate) description: Option<u8>,
    pub(crate) window: Option<u8>,
    pub(crate) password: Option<u8>,
    pub(crate) tags: Option<u8>,
    pub(crate) parents: Vec<Key>,
    pub(crate) groups: Vec<Key>,
    pub(crate) links: Vec<Link>,
    pub(crate) container: Option<Key>,
    pub(crate) home: HomeSpec,
    /// Whether its object may ever have held others in place.
    pub(crate) has_held: bool,
    pub(crate) options: OptionsSpec,
}

/// A use of another resource's output as plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) to: Key,
    /// The output's position in the schema, modulo their number.
    pub(crate) output: u8,
    /// Whether the output is mapped on its way.
    pub(crate) mapped: bool,
}

/// Where an object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HomeSpec {
    /// In an account of that number, reached through a role of that number.
    Account { account: u8, role: u8 },
    /// Inside a cluster.
    Inside(Key),
}

/// Resource options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OptionsSpec {
    pub(crate) depends_on: Vec<Key>,
    pub(crate) protect: bool,
    pub(crate) retain_on_delete: bool,
    pub(crate) delete_before_replace: bool,
    pub(crate) deleted_with: bool,
    pub(crate) ignore_label: bool,
    pub(crate) replace_on_label: bool,
    pub(crate) aliases: Vec<Urn>,
    /// The id of the object to take over.
    pub(crate) import: Option<String>,
    pub(crate) timeouts: Timeouts,
}

impl ResourceSpec {
    /// A resource with nothing given but its identity.
    pub(crate) fn new(key: Key, simulated_type: SimulatedType) -> Self {
        Self {
            key,
            simulated_type,
            name: format!("r{key}"),
            component: None,
            physical_name: None,
            is_freshly_renamed: false,
            identity: 0,
            label: None,
            settings: None,
            description: None,
            window: None,
            password: None,
            tags: None,
            parents: Vec::new(),
            groups: Vec::new(),
            links: Vec::new(),
            container: None,
            home: HomeSpec::Account { account: 0, role: 0 },
            has_held: false,
            options: OptionsSpec::default(),
        }
    }

    /// Its URN.
    pub(crate) fn urn(&self) -> Urn {
        let components: Vec<&str> = self.component.iter().map(String::as_str).collect();
        Urn::new(&components, self.simulated_type.schema.resource_type, &self.name).unwrap()
    }

    /// The resource whose object contains its own.
    pub(crate) fn lives_in(&self) -> Option<Key> {
        match self.home {
            HomeSpec::Inside(cluster) => Some(cluster),
            HomeSpec::Account { .. } => self.container,
        }
    }

    /// The resources that it refers to or waits for.
    pub(crate) fn dependencies(&self) -> BTreeSet<Key> {
        let links = self.links.iter().map(|link| link.to);
        self.parents
            .iter()
            .chain(&self.groups)
            .chain(&self.options.depends_on)
            .copied()
            .chain(links)
            .chain(self.lives_in())
            .collect()
    }

    fn inputs(&self, urns: &BTreeMap<Key, Urn>) -> BTreeMap<&'static str, Expression> {
        let ids = |keys: &[Key]| list(keys.iter().map(|key| reference(&urns[key], "id")));
        let number = |text: &str, value: Option<u8>| value.map(|value| plain(format!("{text}-{value}")));
        let links: Vec<Expression> = self.links.iter().map(|link| link.expression(&urns[&link.to])).collect();
        let given = |keys: &[Key]| (!keys.is_empty()).then(|| ids(keys));
        let all = [
            ("name", Some(plain(self.physical_name.clone().unwrap_or(format!("name-{}", self.key))))),
            ("slot", Some(plain(format!("slot-{}", self.key)))),
            ("identity", Some(plain(format!("identity-{}", self.identity)))),
            ("label", number("label", self.label)),
            ("settings", number("settings", self.settings)),
            ("description", self.description.map(description)),
            ("window", number("window", self.window)),
            ("password", self.password.map(|password| Expression::Value(secret(password)))),
            ("tags", self.tags.map(tags)),
            ("parents", given(&self.parents)),
            ("groups", given(&self.groups)),
            ("links", (!links.is_empty()).then(|| list(links))),
            ("container", self.container.map(|key| reference(&urns[&key], "id"))),
            ("query", Some(plain(format!("query-{}", self.identity)))),
            ("subject", Some(plain(format!("subject-{}-{}", self.key, self.identity)))),
        ];
        all.into_iter()
            .filter(|(name, _)| self.simulated_type.has_input(name))
            .filter_map(|(name, expression)| Some((name, expression?)))
            .collect()
    }

    fn declaration(&self, urns: &BTreeMap<Key, Urn>) -> Declaration {
        let label_if = |named: bool| {
            let label = Some("label".to_owned()).filter(|label| self.simulated_type.has_input(label));
            label.filter(|_| named).into_iter().collect()
        };
        let options = Options {
            depends_on: self.options.depends_on.iter().map(|key| urns[key].clone()).collect(),
            protect: self.options.protect,
            retain_on_delete: self.options.retain_on_delete,
            timeouts: self.options.timeouts,
            ignore_changes: label_if(self.options.ignore_label),
            replace_on_changes: label_if(self.options.replace_on_label),
            delete_before_replace: self.options.delete_before_replace,
            deleted_with: self.lives_in().filter(|_| self.options.deleted_with).map(|key| urns[&key].clone()),
            aliases: self.options.aliases.clone(),
            import: self.options.import.clone().map(PhysicalId::new),
        };
        Declaration {
            urn: self.urn(),
            resource_type: self.simulated_type.schema.resource_type,
            inputs: self.inputs(urns),
            connection: self.home.connection(urns),
            options,
        }
    }
}

impl Link {
    fn expression(self, urn: &Urn) -> Expression {
        let outputs = SimulatedType::of(urn.resource_type()).schema.outputs;
        let source = reference(urn, outputs[usize::from(self.output) % outputs.len()].name);
        if !self.mapped {
            return source;
        }
        map(source, |text| Value::text(format!("mapped {text}")))
    }
}

impl HomeSpec {
    fn connection(self, urns: &BTreeMap<Key, Urn>) -> Expression {
        match self {
            Self::Account { account, role } => {
                Expression::Value(connection(&format!("account-{account}"), role))
            }
            Self::Inside(cluster) => {
                map(reference(&urns[&cluster], "id"), |id| connection(&account_in(id), 0))
            }
        }
    }
}

impl StackSpec {
    /// The declared graph.
    pub(crate) fn graph(&self) -> Graph {
        Graph::new(self.declarations(), self.outputs(&self.urns())).unwrap()
    }

    /// What is declared.
    pub(crate) fn declarations(&self) -> Vec<Declaration> {
        let urns = self.urns();
        self.resources.iter().map(|resource| resource.declaration(&urns)).collect()
    }

    /// The resource of that key.
    pub(crate) fn get(&self, key: Key) -> &ResourceSpec {
        self.resources.iter().find(|resource| resource.key == key).unwrap()
    }

    /// The resource of that key, to change it.
    pub(crate) fn get_mut(&mut self, key: Key) -> &mut ResourceSpec {
        self.resources.iter_mut().find(|resource| resource.key == key).unwrap()
    }

    /// Declares a resource, made out further by `more`.
    pub(crate) fn add(&mut self, simulated_type: SimulatedType, more: impl FnOnce(&mut ResourceSpec)) -> Key {
        let key = self.next_key();
        let mut resource = ResourceSpec::new(key, simulated_type);
        more(&mut resource);
        self.resources.push(resource);
        key
    }

    /// A key that no resource ever had.
    pub(crate) fn next_key(&mut self) -> Key {
        self.keys += 1;
        self.keys - 1
    }

    /// Declares a resource no longer. What refers to it loses the reference; what lives in it goes too.
    pub(crate) fn remove(&mut self, key: Key) {
        let inside = |resource: &&ResourceSpec| resource.lives_in() == Some(key);
        let contents: Vec<Key> = self.resources.iter().filter(inside).map(|resource| resource.key).collect();
        contents.into_iter().for_each(|content| self.remove(content));
        let leaving = self.resources.iter().filter(|resource| resource.key == key).cloned();
        self.removed.extend(leaving.collect::<Vec<_>>());
        self.resources.retain(|resource| resource.key != key);
        for resource in &mut self.resources {
            resource.parents.retain(|other| *other != key);
            resource.groups.retain(|other| *other != key);
            resource.links.retain(|link| link.to != key);
            resource.options.depends_on.retain(|other| *other != key);
        }
    }

    /// Declares a resource again that was removed, without references to what is no longer there.
    pub(crate) fn restore(&mut self, index: usize) {
        let mut resource = self.removed.remove(index);
        let keys: BTreeSet<Key> = self.resources.iter().map(|resource| resource.key).collect();
        let lost = resource.dependencies().iter().any(|dependency| !keys.contains(dependency));
        let taken = self.resources.iter().any(|other| other.urn() == resource.urn());
        if lost || taken {
            return;
        }
        // Its former names may be other resources' names by now.
        resource.options.aliases.clear();
        resource.label = None;
        let position = self.resources.partition_point(|other| other.key < resource.key);
        self.resources.insert(position, resource);
    }

    /// How many resources were removed.
    pub(crate) fn removed(&self) -> usize {
        self.removed.len()
    }

    /// The URN of that key.
    pub(crate) fn urn(&self, key: Key) -> Urn {
        self.get(key).urn()
    }

    /// Whether a replacement may delete first.
    pub(crate) fn deletes_first(&self) -> bool {
        self.resources.iter().any(|resource| {
            resource.options.delete_before_replace || resource.simulated_type.schema.singleton
        })
    }

    /// All that a resource needs, itself included.
    pub(crate) fn needed_by(&self, key: Key) -> BTreeSet<Key> {
        let mut needed = BTreeSet::from([key]);
        for resource in self.resources.iter().rev().filter(|resource| resource.key <= key) {
            if needed.contains(&resource.key) {
                needed.extend(resource.dependencies());
            }
        }
        needed
    }

    fn urns(&self) -> BTreeMap<Key, Urn> {
        self.resources.iter().map(|resource| (resource.key, resource.urn())).collect()
    }

    fn outputs(&self, urns: &BTreeMap<Key, Urn>) -> BTreeMap<String, Expression> {
        let last = self.resources.iter().rev().find(|resource| resource.simulated_type.is_managed());
        last.map(|resource| ("last".to_owned(), reference(&urns[&resource.key], "id"))).into_iter().collect()
    }
}

/// A connection to an account through a role.
pub(crate) fn connection(account: &str, role: u8) -> Value {
    Value::Map(BTreeMap::from([
        ("account".to_owned(), Value::text(account)),
        ("role".to_owned(), Value::text(format!("role-{role}"))),
    ]))
}

/// The number of the secret that a person has to give.
pub(crate) const ASKED: u8 = u8::MAX;

/// A secret of that number.
pub(crate) fn secret(number: u8) -> Value {
    if number == ASKED {
        return Value::Secret(Secret::asked("password"));
    }
    Value::Secret(Secret::given(&secret_key(), format!("plain-{number}").into()))
}

/// The environment's key for digests.
pub(crate) fn secret_key() -> SecretKey {
    SecretKey::new([7; 32])
}

/// Descriptions that differ in their case alone, in pairs.
fn description(number: u8) -> Expression {
    let text = format!("Description-{}", number / 2);
    plain(if number.is_multiple_of(2) { text } else { text.to_uppercase() })
}

fn tags(number: u8) -> Expression {
    let tag = |index: u8| (format!("tag-{index}"), Value::text(format!("value-{number}")));
    Expression::Value(Value::Map((0..number % 3).map(tag).collect()))
}

fn plain(text: impl Into<String>) -> Expression {
    Expression::Value(Value::text(text))
}

fn reference(urn: &Urn, output: &str) -> Expression {
    Expression::Reference { urn: urn.clone(), output: output.into() }
}

fn list(items: impl IntoIterator<Item = Expression>) -> Expression {
    Expression::List(items.into_iter().collect())
}

fn map(source: Expression, function: impl Fn(&str) -> Value + Send + Sync + 'static) -> Expression {
    let function = move |value: &Value| Ok(function(value.as_text().unwrap_or_default()));
    Expression::Map { source: Arc::new(source), function: Arc::new(function) }
}
