//! Outputs and inputs: typed values that may come from other resources.
//!
//! Using an [`Output`] of one resource as an [`Input`] of another *is* the dependency edge. Owns the
//! expressions behind both and their evaluation; it must not know how a plan is made.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::secret::Secret;
use crate::urn::Urn;
use crate::value::{Property, Value, ValueError};

/// How a value comes about. Cheap to clone.
#[derive(Clone)]
pub enum Expression {
    /// A value that is known, or [`Value::Unknown`].
    Value(Value),
    /// An output of a resource.
    Reference {
        /// The resource.
        urn: Urn,
        /// The output's field name.
        output: Arc<str>,
    },
    /// A fact about the outside, by its name in the facts of the environment.
    Fact(Arc<str>),
    /// A pure function of another expression.
    Map {
        /// What the function is given.
        source: Arc<Expression>,
        /// The function: erased value in, erased value out.
        function: MapFunction,
    },
    /// Several expressions as one list.
    List(Arc<[Expression]>),
    /// Several expressions as one map.
    Fields(Arc<BTreeMap<String, Expression>>),
    /// A member of a map.
    Field {
        /// The map.
        source: Arc<Expression>,
        /// The member's name.
        name: Arc<str>,
    },
    /// Secrets and texts joined to one secret.
    Template(Arc<[Expression]>),
    /// A secret or text, percent-encoded to be a part of a URL.
    PercentEncoded(Arc<Expression>),
}

/// The erased function of an [`Expression::Map`].
pub type MapFunction = Arc<dyn Fn(&Value) -> Result<Value, ValueError> + Send + Sync>;

/// Where the outputs and facts that expressions refer to are looked up.
pub trait Resolve {
    /// The output of a resource, [`Value::Unknown`] if it is known only after apply.
    ///
    /// # Errors
    /// [`ValueError`] if the resource has no such output.
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError>;

    /// A fact, [`Value::Unknown`] if it was not gathered.
    fn fact(&self, name: &str) -> Value;
}

impl Expression {
    /// The value, as far as it is known: a function of something unknown is unknown.
    ///
    /// # Errors
    /// [`ValueError`] of a function or a lookup.
    pub fn evaluate(&self, resolve: &dyn Resolve) -> Result<Value, ValueError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Reference { urn, output } => resolve.output(urn, output),
            Self::Fact(name) => Ok(resolve.fact(name)),
            Self::Map { source, function } => {
                let value = source.evaluate(resolve)?;
                if value.has_secret() {
                    // What a function makes of a secret would be no secret any more.
                    return Err(ValueError::new("a secret cannot be mapped: join it with a template"));
                }
                if value.has_unknown() { Ok(Value::Unknown) } else { function(&value) }
            }
            Self::List(items) => {
                Ok(Value::List(items.iter().map(|item| item.evaluate(resolve)).collect::<Result<_, _>>()?))
            }
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, field)| Ok((name.clone(), field.evaluate(resolve)?)));
                Ok(Value::Map(fields.collect::<Result<_, _>>()?))
            }
            Self::Field { source, name } => match source.evaluate(resolve)? {
                Value::Unknown => Ok(Value::Unknown),
                Value::Map(mut fields) => fields
                    .remove(&**name)
                    .ok_or_else(|| ValueError::new(format!("there is no {name} in the map"))),
                other => Err(ValueError::new(format!("expected a map with {name}, got {}", other.kind()))),
            },
            Self::Template(parts) => {
                let mut secrets = Vec::with_capacity(parts.len());
                for part in parts.iter() {
                    match template_part(part.evaluate(resolve)?)? {
                        Some(secret) => secrets.push(secret),
                        None => return Ok(Value::Unknown),
                    }
                }
                Ok(Value::Secret(Secret::template(secrets)))
            }
            Self::PercentEncoded(source) => Ok(template_part(source.evaluate(resolve)?)?
                .map_or(Value::Unknown, |secret| Value::Secret(secret.percent_encoded()))),
        }
    }

    /// Adds the resources that this expression refers to.
    pub fn collect_references(&self, into: &mut BTreeSet<Urn>) {
        match self {
            Self::Reference { urn, .. } => {
                into.insert(urn.clone());
            }
            _ => self.parts().for_each(|part| part.collect_references(into)),
        }
    }

    /// The same expression, in which the secrets that a person has to give are the given ones.
    pub(crate) fn given_from(&self, given: &BTreeMap<String, Secret>) -> Self {
        let one = |source: &Arc<Self>| Arc::new(source.given_from(given));
        let all = |items: &Arc<[Self]>| items.iter().map(|item| item.given_from(given)).collect();
        match self {
            Self::Value(value) => Self::Value(value.clone().given_from(given)),
            Self::Reference { .. } | Self::Fact(_) => self.clone(),
            Self::Map { source, function } => {
                Self::Map { source: one(source), function: Arc::clone(function) }
            }
            Self::List(items) => Self::List(all(items)),
            Self::Fields(fields) => {
                let fields = fields.iter().map(|(name, field)| (name.clone(), field.given_from(given)));
                Self::Fields(Arc::new(fields.collect()))
            }
            Self::Field { source, name } => Self::Field { source: one(source), name: Arc::clone(name) },
            Self::Template(parts) => Self::Template(all(parts)),
            Self::PercentEncoded(source) => Self::PercentEncoded(one(source)),
        }
    }

    /// The expressions that this one is made of.
    pub(crate) fn parts(&self) -> Box<dyn Iterator<Item = &Expression> + '_> {
        match self {
            Self::Value(_) | Self::Fact(_) | Self::Reference { .. } => Box::new(std::iter::empty()),
            Self::Map { source, .. } | Self::Field { source, .. } | Self::PercentEncoded(source) => {
                Box::new(std::iter::once(&**source))
            }
            Self::List(items) | Self::Template(items) => Box::new(items.iter()),
            Self::Fields(fields) => Box::new(fields.values()),
        }
    }
}

/// A part of a secret template; `None` for one that is not known yet.
fn template_part(value: Value) -> Result<Option<Secret>, ValueError> {
    match value {
        Value::Secret(secret) => Ok(Some(secret)),
        Value::Text(text) => Ok(Some(Secret::plain(text))),
        Value::Unknown => Ok(None),
        other => {
            Err(ValueError::new(format!("a secret template joins secrets and strings, not {}", other.kind())))
        }
    }
}

/// A value that a resource gives once it exists, or that is derived from such values.
///
/// The same type stands in an outputs structure on both sides: as a reference in the stack, as a
/// plain value in the provider.
pub struct Output<T> {
    expression: Expression,
    value_type: PhantomData<fn() -> T>,
}

impl<T> Clone for Output<T> {
    fn clone(&self) -> Self {
        Self::from_expression(self.expression.clone())
    }
}

impl<T> Output<T> {
    /// Wraps an expression that is known to give a `T`.
    pub fn from_expression(expression: Expression) -> Self {
        Self { expression, value_type: PhantomData }
    }

    /// An output of a declared resource.
    pub fn reference(urn: Urn, output: &str) -> Self {
        Self::from_expression(Expression::Reference { urn, output: output.into() })
    }

    /// A fact about the outside, such as a region's zones, gathered before planning.
    pub fn fact(name: &str) -> Self {
        Self::from_expression(Expression::Fact(name.into()))
    }

    /// A value that only apply will know.
    pub fn unknown() -> Self {
        Self::from_expression(Expression::Value(Value::Unknown))
    }

    /// The erased expression.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The erased value if this output is a plain one, as providers return and receive them.
    pub fn value(&self) -> Option<&Value> {
        match &self.expression {
            Expression::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl<T: Property> Output<T> {
    /// A plain value.
    pub fn known(value: &T) -> Self {
        Self::from_expression(Expression::Value(value.to_value()))
    }

    /// The typed plain value, if this output is one and known.
    pub fn get(&self) -> Option<T> {
        self.value().filter(|value| !value.has_unknown()).and_then(|value| T::from_value(value).ok())
    }
}

impl<T: Property + 'static> Output<T> {
    /// Derives a value. `function` must be pure: it runs at plan and again at apply. It is not run
    /// while the source is unknown.
    pub fn map<U: Property>(&self, function: impl Fn(T) -> U + Send + Sync + 'static) -> Output<U> {
        self.try_map(move |value| Ok(function(value)))
    }

    /// Derives a value by a function that may refuse its input; the error is reported at the
    /// property that uses the result.
    pub fn try_map<U: Property>(
        &self,
        function: impl Fn(T) -> Result<U, ValueError> + Send + Sync + 'static,
    ) -> Output<U> {
        Output::from_expression(Expression::Map {
            source: Arc::new(self.expression.clone()),
            function: Arc::new(move |value| Ok(function(T::from_value(value)?)?.to_value())),
        })
    }

    /// Two outputs as one, to be mapped together.
    pub fn zip<U: Property>(&self, other: &Output<U>) -> Output<(T, U)> {
        let pair = [self.expression.clone(), other.expression.clone()];
        Output::from_expression(Expression::List(pair.into()))
    }

    /// Many outputs as one list.
    pub fn all(outputs: impl IntoIterator<Item = Output<T>>) -> Output<Vec<T>> {
        Output::from_expression(Expression::List(
            outputs.into_iter().map(|output| output.expression).collect(),
        ))
    }
}

impl<T> Output<BTreeMap<String, T>> {
    /// Outputs by name as one map.
    pub fn fields(fields: impl IntoIterator<Item = (String, Output<T>)>) -> Self {
        let fields = fields.into_iter().map(|(name, output)| (name, output.expression));
        Self::from_expression(Expression::Fields(Arc::new(fields.collect())))
    }

    /// The member of that name; planning reports one that is not there.
    pub fn field(&self, name: &str) -> Output<T> {
        let source = Arc::new(self.expression.clone());
        Output::from_expression(Expression::Field { source, name: name.into() })
    }
}

impl Output<Secret> {
    /// Joins secrets and plain text to one secret, without reading any of them.
    pub fn template(parts: impl IntoIterator<Item = SecretInput>) -> Self {
        Self::from_expression(Expression::Template(parts.into_iter().map(|part| part.0).collect()))
    }
}

/// A part of a secret template: a secret, an output, or plain text.
pub struct SecretInput(Expression);

impl SecretInput {
    /// The part, percent-encoded to stand in a URL, as a password does.
    pub fn percent_encoded(part: impl Into<SecretInput>) -> Self {
        Self(Expression::PercentEncoded(Arc::new(part.into().0)))
    }
}

impl From<Output<Secret>> for SecretInput {
    fn from(output: Output<Secret>) -> Self {
        Self(output.expression)
    }
}

impl From<Output<String>> for SecretInput {
    fn from(output: Output<String>) -> Self {
        Self(output.expression)
    }
}

impl From<Secret> for SecretInput {
    fn from(secret: Secret) -> Self {
        Self(Expression::Value(Value::Secret(secret)))
    }
}

impl From<&str> for SecretInput {
    fn from(text: &str) -> Self {
        Self(Expression::Value(Value::text(text)))
    }
}

impl<T: Property> From<T> for Output<T> {
    fn from(value: T) -> Self {
        Self::known(&value)
    }
}

/// An input property. One that is not given is not managed: neither set nor compared.
///
/// In what a provider observed, *not given* says that it was not read, and [`Input::absent`] that it
/// was read and is not there. The difference counts: what was applied and is not there is drift.
pub struct Input<T>(Option<Output<T>>);

impl<T> Default for Input<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Clone for Input<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Input<T> {
    /// An observed input that was read and is not there, such as the permissions boundary of a role
    /// that has none: erased, it is [`Value::Null`]. Only for what [`ResourceType::read`] returns.
    ///
    /// [`ResourceType::read`]: crate::ResourceType::read
    pub fn absent() -> Self {
        Self(Some(Output::from_expression(Expression::Value(Value::Null))))
    }

    /// What an output gives, if it gives anything: otherwise the input is not given.
    pub fn if_any(output: &Output<Option<T>>) -> Self {
        Self(Some(Output::from_expression(output.expression().clone())))
    }

    /// The expression, if the input is given.
    pub fn expression(&self) -> Option<&Expression> {
        self.0.as_ref().map(Output::expression)
    }

    /// Whether the input is given at all.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }
}

impl<T: Property> Input<T> {
    /// The typed value, if the input is given and known. In a provider's calls every given input
    /// is known.
    pub fn get(&self) -> Option<T> {
        self.0.as_ref().and_then(Output::get)
    }

    /// An input from an erased value, `None` for one that is not given.
    ///
    /// # Errors
    /// [`ValueError`] if a known value has not this type's shape.
    pub fn from_value(value: Option<&Value>) -> Result<Self, ValueError> {
        match value {
            None => Ok(Self(None)),
            Some(value) if value.has_unknown() => Ok(Self(Some(Output::unknown()))),
            Some(value) => {
                T::from_value(value)?;
                Ok(Self(Some(Output::from_expression(Expression::Value(value.clone())))))
            }
        }
    }
}

impl<T: Property> From<T> for Input<T> {
    fn from(value: T) -> Self {
        Self(Some(Output::known(&value)))
    }
}

impl<T> From<Output<T>> for Input<T> {
    fn from(output: Output<T>) -> Self {
        Self(Some(output))
    }
}

impl<T> From<&Output<T>> for Input<T> {
    fn from(output: &Output<T>) -> Self {
        Self(Some(output.clone()))
    }
}

impl From<&str> for Input<String> {
    fn from(text: &str) -> Self {
        Self(Some(Output::known(&text.to_owned())))
    }
}

impl<T: Property + 'static> FromIterator<Output<T>> for Input<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = Output<T>>>(outputs: I) -> Self {
        Self(Some(Output::all(outputs)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::secret::SecretKey;

    struct Nothing;

    impl Resolve for Nothing {
        fn output(&self, _urn: &Urn, _output: &str) -> Result<Value, ValueError> {
            Ok(Value::Unknown)
        }

        fn fact(&self, _name: &str) -> Value {
            Value::Unknown
        }
    }

    #[test]
    fn a_secret_is_joined_and_never_mapped() {
        let secret = Secret::given(&SecretKey::new([7; 32]), SecretString::from("hunter2".to_owned()));
        let secret: Output<Secret> = secret.into();
        let plain =
            |secret: Secret| secret.reveal().map_or(String::new(), |it| it.expose_secret().to_owned());
        let leaks = [secret.map(plain), secret.zip(&secret).map(move |(one, _)| plain(one))];
        for leak in leaks {
            let error = leak.expression().evaluate(&Nothing).unwrap_err();
            assert!(error.to_string().contains("template"), "{error}");
        }
        let joined = Output::template(["redis://:".into(), secret.into()]);
        assert!(matches!(joined.expression().evaluate(&Nothing), Ok(Value::Secret(_))));
    }

    #[test]
    fn what_is_given_reaches_every_place_where_it_is_asked_for() {
        let given = Secret::given(&SecretKey::new([7; 32]), SecretString::from("p/w".to_owned()));
        let given = BTreeMap::from([("password".to_owned(), given)]);
        let asked = || Output::<Secret>::from(Secret::asked("password"));
        let fields = || Output::fields([("password".to_owned(), asked())]);
        let url =
            Output::template(["redis://:".into(), SecretInput::percent_encoded(fields().field("password"))]);
        let all = Output::all([url, fields().field("password"), asked()]);
        let Ok(Value::List(all)) = all.expression().given_from(&given).evaluate(&Nothing) else {
            panic!("no list")
        };
        let plain = all.iter().map(|value| match value {
            Value::Secret(secret) => secret.reveal().unwrap().expose_secret().to_owned(),
            other => panic!("{other:?}"),
        });
        assert_eq!(plain.collect::<Vec<_>>(), ["redis://:p%2Fw", "p/w", "p/w"]);
        let others = fields().expression().given_from(&BTreeMap::new()).evaluate(&Nothing);
        assert_eq!(others, fields().expression().evaluate(&Nothing));
    }

    #[test]
    fn a_member_of_a_map_is_known_though_another_is_not() {
        let secret = |plain: &str| -> Output<Secret> {
            Secret::given(&SecretKey::new([7; 32]), SecretString::from(plain.to_owned())).into()
        };
        let map =
            Output::fields([("password".to_owned(), secret("p/w")), ("salt".to_owned(), Output::unknown())]);
        let evaluate = |output: Output<Secret>| output.expression().evaluate(&Nothing);
        assert_eq!(evaluate(map.field("salt")), Ok(Value::Unknown));
        let url = Output::template(["redis://:".into(), SecretInput::percent_encoded(map.field("password"))]);
        let Ok(Value::Secret(url)) = evaluate(url) else { panic!("no secret") };
        assert_eq!(url.reveal().unwrap().expose_secret(), "redis://:p%2Fw");
        assert!(evaluate(map.field("absent")).unwrap_err().to_string().contains("absent"));
    }
}
