//! Keys, their aliases, and secrets.

use std::collections::BTreeMap;

use lsinfra_engine::{Input, Output, Resource, Secret as SecretValue, Stack};
use lsinfra_resources::aws::kms::{Alias, Key, KeyOutputs};
use lsinfra_resources::aws::secretsmanager::{Generated, Recipe, Secret};
use lsinfra_resources::aws::sns::Topic;
use lsinfra_resources::aws::{PolicyDocument, Principal, Statement};

use crate::case::{Case, Subject};
use crate::ground::{key, nothing};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![key_case(), alias(), secret()]
}

fn policy(actions: &[&str]) -> PolicyDocument {
    let root = Principal::aws(["arn:aws:iam::123456789012:root"]);
    PolicyDocument::new([Statement::allow(actions.to_vec()).to(root).on(["*"])])
}

fn key_case() -> Case {
    Subject::new(nothing, |(): &()| Key::default())
        .used_by(|stack, (), key| {
            let inputs = Alias { name: "alias/main".into(), target_key_id: key.key_id.clone().into() };
            stack.add("main", inputs).unwrap();
        })
        .change("description", |(), key| key.description = "the cluster's".into())
        .change("description", |(), key| key.description = "someone's".into())
        .change("enabled", |(), key| key.enabled = false.into())
        .change("enabled", |(), key| key.enabled = true.into())
        .change("enable_key_rotation", |(), key| key.enable_key_rotation = true.into())
        .change("rotation_period_in_days", |(), key| key.rotation_period_in_days = 180.into())
        .change("rotation_period_in_days", |(), key| key.rotation_period_in_days = 90.into())
        .change_together(["enable_key_rotation", "rotation_period_in_days"], |(), key| {
            key.enable_key_rotation = Default::default();
            key.rotation_period_in_days = Default::default();
        })
        .change("key_policy", |(), key| key.key_policy = policy(&["kms:*"]).into())
        .change("key_policy", |(), key| key.key_policy = policy(&["kms:*", "kms:Decrypt"]).into())
        .change("pending_window_in_days", |(), key| key.pending_window_in_days = 7.into())
        .change("tags", |(), key| key.tags = tags([("Name", "cluster")]).into())
        .change("tags", |(), key| key.tags = tags([("owner", "someone")]).into())
        .case("")
}

type Keys = [Resource<KeyOutputs>; 2];

fn keys(stack: &Stack) -> Keys {
    ["one", "two"].map(|name| key(stack, name))
}

fn alias() -> Case {
    let inputs =
        |keys: &Keys| Alias { name: "alias/main".into(), target_key_id: keys[0].key_id.clone().into() };
    Subject::new(keys, inputs)
        .used_by(|stack, _, alias| {
            let inputs =
                Topic { name: "alarms".into(), kms_key_id: alias.name.clone().into(), ..Topic::default() };
            stack.add("alarms", inputs).unwrap();
        })
        .change("target_key_id", |keys, alias| alias.target_key_id = keys[1].key_id.clone().into())
        .change("name", |_, alias| alias.name = "alias/other".into())
        .case("")
}

fn values(texts: &[(&str, &str)]) -> Input<BTreeMap<String, SecretValue>> {
    let values = texts.iter().map(|(key, text)| ((*key).to_owned(), SecretValue::plain(*text)));
    values.collect::<BTreeMap<_, _>>().into()
}

fn generated(keys: &[&str], rotation: u32) -> Input<BTreeMap<String, Generated>> {
    let drawn = || Generated::new(Recipe::Base64 { bytes: 32 }).rotated(rotation);
    keys.iter().map(|key| ((*key).to_owned(), drawn())).collect::<BTreeMap<_, _>>().into()
}

fn secret() -> Case {
    let inputs = |_: &Keys| Secret {
        name: "app".into(),
        recovery_window_in_days: 7.into(),
        values: values(&[("user", "postgres")]),
        ..Secret::default()
    };
    Subject::new(keys, inputs)
        .used_by(|stack, _, secret| {
            let copied = [("copy".to_owned(), secret.secrets.field("user"))];
            let inputs = Secret {
                name: "copy".into(),
                recovery_window_in_days: 0.into(),
                values: Output::fields(copied).into(),
                ..Secret::default()
            };
            stack.add("copy", inputs).unwrap();
        })
        .change("description", |_, secret| secret.description = "the app's".into())
        .change("description", |_, secret| secret.description = "someone's".into())
        .change("kms_key_id", |keys, secret| secret.kms_key_id = keys[0].arn.clone().into())
        .change("kms_key_id", |keys, secret| secret.kms_key_id = keys[1].arn.clone().into())
        .change("values", |_, secret| secret.values = values(&[("user", "langsmith")]))
        .change("values", |_, secret| secret.values = values(&[("user", "langsmith"), ("host", "db")]))
        .change("generated", |_, secret| secret.generated = generated(&["salt"], 0))
        .change("generated", |_, secret| secret.generated = generated(&["salt", "token"], 0))
        .change("recovery_window_in_days", |_, secret| secret.recovery_window_in_days = 0.into())
        .change("tags", |_, secret| secret.tags = tags([("Name", "app")]).into())
        .change("tags", |_, secret| secret.tags = tags([("owner", "someone")]).into())
        // Another secret has other values, which is to be said.
        .change_together(["name", "generated"], |_, secret| {
            secret.name = "other".into();
            secret.generated = generated(&["salt", "token"], 1);
        })
        .needs("values")
        .case("")
}
