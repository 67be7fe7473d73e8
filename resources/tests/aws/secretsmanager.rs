//! Secrets: settings, values, rotation, changes by others, and what must never be drawn twice.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use lsinfra_engine::provider::{ChangeKind, ErrorKind, Observation};
use lsinfra_engine::secret::Encoding;
use lsinfra_engine::{Input, Output, Properties, Property, Secret as SecretValue, Value};
use lsinfra_resources::aws::secretsmanager::{Alphabet, Generated, Recipe, Secret};
use lsinfra_resources::aws::{Arn, kms::Key};
use secrecy::SecretString;

use crate::harness::{Object, Region, properties, secret_key, tags};
use crate::quirks;

const PASSWORD: Recipe = Recipe::Text { alphabet: Alphabet::UrlSafe, length: 32 };

fn given(plain: &str) -> SecretValue {
    SecretValue::given(&secret_key(), SecretString::from(plain.to_owned()))
}

fn values<const N: usize>(values: [(&str, SecretValue); N]) -> Input<BTreeMap<String, SecretValue>> {
    values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>().into()
}

fn generated<const N: usize>(keys: [(&str, Generated); N]) -> Input<BTreeMap<String, Generated>> {
    keys.into_iter().map(|(key, generated)| (key.to_owned(), generated)).collect::<BTreeMap<_, _>>().into()
}

/// What the secret really holds.
async fn held(client: &Client, secret: &Object) -> BTreeMap<String, String> {
    let answer = client.get_secret_value().secret_id(secret.id().as_str()).send().await.unwrap();
    serde_json::from_str(answer.secret_string().unwrap()).unwrap()
}

/// Somebody puts another value there by hand.
async fn put_by_hand(client: &Client, secret: &Object, members: &BTreeMap<String, String>) {
    let text = serde_json::to_string(members).unwrap();
    client.put_secret_value().secret_id(secret.id().as_str()).secret_string(text).send().await.unwrap();
}

fn member(properties: &Properties, field: &str, key: &str) -> Value {
    properties[field].as_map().unwrap()[key].clone()
}

#[tokio::test]
async fn each_part_of_a_secret_is_put_changed_and_taken_back() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let key = region.create("key", Key::default()).await;
    let plain = Secret {
        name: region_name("parts").into(),
        recovery_window_in_days: 0.into(),
        values: values([("user", SecretValue::plain("postgres"))]),
        ..Secret::default()
    };
    let mut secret = region.create("app", plain.clone()).await;
    let all = Secret {
        description: "the app's".into(),
        kms_key_id: key.output::<Arn>("arn").into(),
        generated: generated([("salt", Generated::new(Recipe::Base64 { bytes: 32 }))]),
        values: values([("user", SecretValue::plain("postgres")), ("license", given("lic-1"))]),
        tags: tags([("Name", "app")]).into(),
        ..plain.clone()
    };
    secret.update(all.clone()).await;
    let before = held(&client, &secret).await;
    assert_eq!((before["user"].as_str(), before["license"].as_str()), ("postgres", "lic-1"));
    for changed in [
        Secret { description: "someone's".into(), ..all.clone() },
        Secret { kms_key_id: Input::default(), ..all.clone() },
        Secret { tags: tags([("owner", "someone")]).into(), ..all.clone() },
        Secret { values: values([("license", given("lic-2"))]), ..all.clone() },
        Secret { recovery_window_in_days: 7.into(), ..all.clone() },
    ] {
        secret.update(changed).await;
        secret.update(all.clone()).await;
        assert_eq!(held(&client, &secret).await, before, "a drawn value stays");
    }

    // No longer given, each goes back to AWS's default, and its values go.
    secret.update(plain.clone()).await;
    assert_eq!(held(&client, &secret).await, BTreeMap::from([("user".to_owned(), "postgres".to_owned())]));
    secret.inputs = properties(&all);
    if !quirks::does("UpdateSecret: ignores an empty description or key") {
        secret.assert_observed("description", Some(Value::text(""))).await;
        secret.assert_observed("kms_key_id", Some(Value::Null)).await;
    }
    secret.assert_observed("tags", Some(Value::Map(BTreeMap::new()))).await;
    secret.inputs = properties(&plain);
    secret.delete().await;
    key.delete().await;
}

#[tokio::test]
async fn a_value_is_drawn_once_and_again_only_when_it_is_rotated() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let name = region_name("drawn");
    let inputs = |rotation: u32| Secret {
        name: name.as_str().into(),
        recovery_window_in_days: 0.into(),
        generated: generated([
            ("password", Generated::new(PASSWORD).rotated(rotation)),
            ("salt", Generated::new(Recipe::Base64 { bytes: 32 })),
        ]),
        ..Secret::default()
    };
    let mut secret = region.create("app", inputs(0)).await;
    let first = held(&client, &secret).await;
    assert_eq!((first["password"].len(), first["salt"].len()), (32, 44));
    let url = member(&secret.outputs, "secrets", "password");
    secret.update(inputs(1)).await;
    let second = held(&client, &secret).await;
    assert_ne!(second["password"], first["password"]);
    assert_eq!(second["salt"], first["salt"]);
    assert_ne!(member(&secret.outputs, "secrets", "password"), url, "another digest");

    // The run that rotated was killed before it could say so: the same update once more draws nothing.
    secret.inputs = properties(&inputs(0));
    secret.update(inputs(1)).await;
    assert_eq!(held(&client, &secret).await, second);
    let arn = secret.id().as_str();
    client.untag_resource().secret_id(arn).tag_keys("lsinfra:rotation").send().await.unwrap();
    assert_eq!(
        secret.provider.complete(&secret.step, secret.id(), &secret.inputs).await.unwrap(),
        secret.outputs
    );
    assert_eq!(held(&client, &secret).await, second);
    secret.assert_no_drift().await;
    secret.delete().await;
}

#[tokio::test]
async fn a_creation_that_is_repeated_keeps_the_values_of_the_first() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let inputs = Secret {
        name: region_name("twice").into(),
        recovery_window_in_days: 0.into(),
        generated: generated([("password", Generated::new(PASSWORD))]),
        ..Secret::default()
    };
    let secret = region.create("app", inputs).await;
    let first = held(&client, &secret).await;
    // The answer to the first call was lost: the same call has another value.
    let error = secret.provider.create(&secret.step, &secret.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert!(!error.message.contains(first["password"].as_str()));
    assert_eq!(secret.find().await.unwrap().unwrap().id, *secret.id());
    secret.provider.complete(&secret.step, secret.id(), &secret.inputs).await.unwrap();
    assert_eq!(held(&client, &secret).await, first);
    secret.delete().await;
}

#[tokio::test]
async fn an_empty_secret_of_an_interrupted_creation_gets_its_values() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let inputs = Secret {
        name: region_name("empty").into(),
        recovery_window_in_days: 0.into(),
        generated: generated([("password", Generated::new(PASSWORD))]),
        values: values([("license", given("lic-1"))]),
        ..Secret::default()
    };
    let mut secret = region.declare("app", inputs);
    let owner = secret.step.owner_tags.clone().into_iter();
    let owner =
        owner.map(|(key, value)| aws_sdk_secretsmanager::types::Tag::builder().key(key).value(value).build());
    let name = secret.inputs["name"].as_text().unwrap();
    client.create_secret().name(name).set_tags(Some(owner.collect())).send().await.unwrap();
    let found = secret.find().await.unwrap().unwrap();
    secret.id = Some(found.id);
    secret.outputs = secret.provider.complete(&secret.step, secret.id(), &secret.inputs).await.unwrap();
    let first = held(&client, &secret).await;
    assert_eq!((first["password"].len(), first["license"].as_str()), (32, "lic-1"));
    secret.assert_no_drift().await;
    secret.delete().await;
}

#[tokio::test]
async fn a_value_that_somebody_changed_is_seen_and_one_that_the_stack_made_is_put_back() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let url = SecretValue::template([SecretValue::plain("redis://:"), given("tok/en").percent_encoded()]);
    let inputs = Secret {
        name: region_name("changed").into(),
        recovery_window_in_days: 0.into(),
        generated: generated([("password", Generated::new(PASSWORD)), ("salt", Generated::new(PASSWORD))]),
        values: values([("license", given("lic-1")), ("url", url)]),
        ..Secret::default()
    };
    let mut secret = region.create("app", inputs.clone()).await;
    let mut by_hand = held(&client, &secret).await;
    let salt = by_hand["salt"].clone();
    assert_eq!(by_hand["url"], "redis://:tok%2Fen");
    by_hand.insert("password".to_owned(), "changed by hand".to_owned());
    by_hand.insert("license".to_owned(), "lic-2".to_owned());
    put_by_hand(&client, &secret, &by_hand).await;

    let Observation::Present { inputs: seen, outputs, .. } = secret.read().await else {
        panic!("it is gone")
    };
    assert_eq!(seen["generated"], secret.inputs["generated"], "what is drawn is what is there");
    assert_eq!(member(&seen, "values", "url"), member(&secret.inputs, "values", "url"), "the same text");
    assert_eq!(member(&seen, "values", "license"), given("lic-2").to_value());
    assert_eq!(member(&outputs, "secrets", "password"), given("changed by hand").to_value());
    assert_eq!(member(&outputs, "secrets", "salt"), member(&secret.outputs, "secrets", "salt"));

    // A run that does not have the license leaves it; the text that the stack makes up is put back.
    by_hand.insert("url".to_owned(), "redis://elsewhere".to_owned());
    by_hand.insert("stray".to_owned(), "x".to_owned());
    by_hand.remove("salt");
    put_by_hand(&client, &secret, &by_hand).await;
    let Observation::Present { inputs: seen, .. } = secret.read().await else { panic!("it is gone") };
    assert!(seen["generated"].as_map().unwrap().get("salt").is_none());
    assert_ne!(member(&seen, "values", "url"), member(&secret.inputs, "values", "url"));
    secret.inputs.insert("values".to_owned(), member_replaced(&secret.inputs, given("lic-2")));
    secret.outputs = secret.provider.complete(&secret.step, secret.id(), &secret.inputs).await.unwrap();
    let mended = held(&client, &secret).await;
    assert_eq!(mended["url"], "redis://:tok%2Fen");
    assert_eq!(mended["salt"], salt, "what was taken out comes back from the version before");
    assert_eq!((mended["password"].as_str(), mended["license"].as_str()), ("changed by hand", "lic-2"));
    assert_eq!(mended.keys().map(String::as_str).collect::<Vec<_>>(), ["license", "password", "salt", "url"]);
    secret.assert_no_drift().await;
    secret.delete().await;
}

/// The values with another license.
fn member_replaced(inputs: &Properties, license: SecretValue) -> Value {
    let mut values = inputs["values"].as_map().unwrap().clone();
    values.insert("license".to_owned(), license.to_value());
    Value::Map(values)
}

#[tokio::test]
async fn a_secret_is_made_from_others_that_only_their_store_has() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let inputs = Secret {
        name: region_name("source").into(),
        recovery_window_in_days: 0.into(),
        values: values([("password", given("p@ss/word"))]),
        ..Secret::default()
    };
    let source = region.create("source", inputs.clone()).await;
    // As a later run knows it: without plain text.
    let recorded = serde_json::to_string(&source.outputs["secrets"]).unwrap();
    assert!(!recorded.contains("p@ss"), "{recorded}");
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let stored = SecretValue::from_value(&recorded.as_map().unwrap()["password"]).unwrap();
    let url = SecretValue::template([
        SecretValue::plain("postgres://user:"),
        stored.clone().percent_encoded(),
        SecretValue::plain("@host"),
    ]);
    assert!(matches!(
        url.parts()[1],
        lsinfra_engine::secret::SecretPart::Sealed { encoding: Encoding::Percent, .. }
    ));
    let target = Secret { name: region_name("target").into(), values: values([("url", url)]), ..inputs };
    let target = region.create("target", target).await;
    assert_eq!(held(&client, &target).await["url"], "postgres://user:p%40ss%2Fword@host");
    target.delete().await;
    source.delete().await;
}

#[tokio::test]
async fn a_deleted_secret_keeps_its_name_until_its_window_is_over() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let inputs = Secret {
        name: region_name("window").into(),
        recovery_window_in_days: 7.into(),
        values: values([("license", given("lic-1"))]),
        ..Secret::default()
    };
    let secret = region.create("app", inputs.clone()).await;
    let arn = secret.id().as_str().to_owned();
    secret.delete().await;
    // Somebody else is told how to get the name.
    let other = region.stranger().declare("app", inputs.clone());
    let error = other.provider.create(&other.step, &other.inputs).await.unwrap_err();
    let is_told = !quirks::does("CreateSecret: says of a secret in its recovery window only that it exists");
    if is_told {
        let (message, way_out) = (&error.message, "restore-secret");
        assert!(message.contains("for deletion") && message.contains(way_out), "{message}");
    }
    // The resource that it was of takes it back.
    let again = region.declare("app", inputs);
    match again.provider.create(&again.step, &again.inputs).await {
        Ok(restored) => assert_eq!(restored.as_str(), arn),
        Err(error) => {
            assert!(!is_told, "{error:?}");
            client.restore_secret().secret_id(&arn).send().await.unwrap();
        }
    }
    client.delete_secret().secret_id(&arn).force_delete_without_recovery(true).send().await.unwrap();
}

#[tokio::test]
async fn a_secret_of_another_environment_is_left_alone() {
    let region = Region::open("us-west-2").await;
    let inputs = Secret {
        name: region_name("taken").into(),
        recovery_window_in_days: 0.into(),
        generated: generated([("password", Generated::new(PASSWORD))]),
        ..Secret::default()
    };
    let ours = region.create("ours", inputs.clone()).await;
    let mut theirs = region.stranger().declare("theirs", inputs);
    let error = theirs.provider.create(&theirs.step, &theirs.inputs).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(theirs.find().await.unwrap(), None, "a name alone proves nothing");
    theirs.id = ours.id.clone();
    assert_eq!(theirs.try_delete().await.unwrap_err().kind, ErrorKind::Invalid);
    ours.assert_no_drift().await;
    ours.delete().await;
}

#[tokio::test]
async fn what_would_lose_a_value_is_objected_to() {
    let region = Region::open("us-west-2").await;
    let salt = Generated::new(PASSWORD).never_rotate("every API key");
    let with =
        |salt: Generated| properties(&Secret { generated: generated([("salt", salt)]), ..Secret::default() });
    let longer =
        Generated { recipe: Recipe::Text { alphabet: Alphabet::UrlSafe, length: 64 }, ..salt.clone() };
    let provider = region.declare("app", Secret::default()).provider;
    let asked = |new: &Properties, change: ChangeKind| -> Vec<(String, bool)> {
        let objections = provider.check_change(&with(salt.clone().rotated(1)), new, change);
        objections.into_iter().map(|found| (found.problem.path, found.can_be_overruled)).collect()
    };
    let (update, replace) = (ChangeKind::Update, ChangeKind::Replace);
    assert_eq!(asked(&with(salt.clone().rotated(1)), update), []);
    assert_eq!(
        asked(&with(longer.clone().rotated(1)), update),
        [("generated.salt.recipe".to_owned(), false)]
    );
    assert_eq!(asked(&with(longer.rotated(2)), update), [("generated.salt".to_owned(), true)]);
    assert_eq!(asked(&with(salt.clone()), update), [("generated.salt.rotation".to_owned(), false)]);
    assert_eq!(
        asked(&with(salt.clone().rotated(1)), replace),
        [("generated.salt.rotation".to_owned(), false), ("generated.salt".to_owned(), true)]
    );
    assert_eq!(
        asked(&with(salt.clone().rotated(1)), ChangeKind::Recreate),
        [("generated.salt".to_owned(), true)]
    );
    assert_eq!(asked(&properties(&Secret::default()), update), [("generated.salt".to_owned(), true)]);
}

#[tokio::test]
async fn a_value_that_nobody_has_any_more_is_missed() {
    let region = Region::open("us-west-2").await;
    let client = region.secretsmanager();
    let salt = Generated::new(PASSWORD).never_rotate("every API key");
    let inputs = Secret {
        name: region_name("lost").into(),
        recovery_window_in_days: 0.into(),
        generated: generated([("password", Generated::new(PASSWORD)), ("salt", salt)]),
        ..Secret::default()
    };
    let secret = region.create("app", inputs).await;
    let mut by_hand = held(&client, &secret).await;
    by_hand.remove("salt");
    by_hand.remove("password");
    let mut objections = Vec::new();
    for password in ["first", "second"] {
        by_hand.insert("password".to_owned(), password.to_owned());
        put_by_hand(&client, &secret, &by_hand).await;
        let Observation::Present { inputs: mut seen, .. } = secret.read().await else { panic!("it is gone") };
        // As planning does: what is not there is what nobody gave.
        seen.retain(|_, value| *value != Value::Null);
        let found = secret.provider.check_change(&seen, &secret.inputs, ChangeKind::Update);
        objections.push(found.into_iter().map(|found| found.problem.message).collect::<Vec<_>>());
    }
    // From the version before it would come back; then that one has it no more either.
    let lost = "the value was taken out, and another one breaks every API key".to_owned();
    assert_eq!(objections, [vec![], vec![lost]]);
    secret.delete().await;
}

#[tokio::test]
async fn only_what_changes_is_unknown_before_an_update() {
    let region = Region::open("us-west-2").await;
    let with = |rotation: u32, license: &str| Secret {
        name: "app".into(),
        generated: generated([
            ("password", Generated::new(PASSWORD).rotated(rotation)),
            ("salt", Generated::new(PASSWORD)),
        ]),
        values: values([("license", given(license))]),
        ..Secret::default()
    };
    let known = |key: &str| (key.to_owned(), given(key).to_value());
    let outputs = || {
        let secrets = Value::Map(["license", "password", "salt"].map(known).into());
        Properties::from([("secrets".to_owned(), secrets), ("version_id".to_owned(), "1".into())])
    };
    let provider = region.declare("app", Secret::default()).provider;
    let predicted = |new: &Secret| {
        let mut predicted = outputs();
        provider.predict_update(&properties(&with(0, "lic-1")), &properties(new), &mut predicted);
        predicted
    };
    assert_eq!(predicted(&with(0, "lic-1")), outputs());
    let rotated = predicted(&with(1, "lic-1"));
    assert_eq!(member(&rotated, "secrets", "password"), Value::Unknown);
    assert_eq!(member(&rotated, "secrets", "salt"), known("salt").1);
    assert_eq!(rotated["version_id"], Value::Unknown);
    let relicensed = predicted(&with(0, "lic-2"));
    assert_eq!(member(&relicensed, "secrets", "license"), Value::Unknown);
    assert_eq!(member(&relicensed, "secrets", "password"), known("password").1);
    let unknown = Secret { values: Output::unknown().into(), ..with(0, "lic-1") };
    assert_eq!(predicted(&unknown)["secrets"], Value::Unknown);
}

fn region_name(role: &str) -> String {
    format!("lsinfra-test/{role}-{}", uuid::Uuid::new_v4().simple())
}
