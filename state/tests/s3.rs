//! The store for teams against a real endpoint: the sandbox, or the emulator at `LSINFRA_TEST_ENDPOINT`.
//!
//! What the protocol promises under faults is shown in its unit tests; here, that the services are asked
//! the right way.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoveryStatus,
    ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration};
use common::run;
use common::samples::{every_entry, record, snapshot};
use futures_util::future::join_all;
use jiff::Timestamp;
use lsinfra_engine::clock::Clock;
use lsinfra_engine::provider::ErrorKind;
use lsinfra_engine::store::{HolderProcess, LockHolder, Session, StateStore, StoreError, Stored};
use lsinfra_sandbox::{Options, Serving};
use lsinfra_state::{Access, Bootstrapped, LockSettings, Place, S3Store, SetUp, bootstrap};
use tempfile::TempDir;
use uuid::Uuid;

/// An account with a bucket and a table of its own.
struct Account {
    access: Access,
    place: Place,
    _sandbox: Option<(Serving, TempDir)>,
}

impl Account {
    fn open() -> Self {
        let (url, sandbox) = match std::env::var("LSINFRA_TEST_ENDPOINT") {
            Ok(url) => (url, None),
            Err(_) => {
                let folder = tempfile::tempdir().unwrap();
                let serving = lsinfra_sandbox::serve(Options::new(folder.path())).unwrap();
                (serving.url().to_owned(), Some((serving, folder)))
            }
        };
        let unique = Uuid::new_v4().simple().to_string();
        let access =
            Access { account: "123456789012".to_owned(), region: "us-west-2".to_owned(), sandbox: Some(url) };
        let place = Place { bucket: format!("state-{unique}"), table: format!("locks-{unique}") };
        Self { access, place, _sandbox: sandbox }
    }

    async fn bootstrapped() -> Self {
        let account = Self::open();
        account.bootstrap().await;
        account
    }

    /// A place that objects can be written to.
    async fn bootstrap(&self) {
        self.set_up().await;
        if std::env::var("LSINFRA_TEST_EMULATOR").is_ok_and(|name| name == "moto") {
            self.take_policy_away().await;
        }
    }

    async fn set_up(&self) -> Bootstrapped {
        bootstrap(&self.access, &self.place, SetUp::All, &clock()).await.unwrap()
    }

    /// moto's `GetObject` and `PutObject` heed a bucket's policy without its conditions, so that one which
    /// refuses what does not come over TLS refuses everybody.
    async fn take_policy_away(&self) {
        self.s3().delete_bucket_policy().bucket(&self.place.bucket).send().await.unwrap();
    }

    /// The table as it is before its settings.
    async fn make_bare_table(&self) {
        let name = self.place.table.as_str();
        let key = KeySchemaElement::builder().attribute_name("environment").key_type(KeyType::Hash).build();
        let attribute = AttributeDefinition::builder()
            .attribute_name("environment")
            .attribute_type(ScalarAttributeType::S)
            .build();
        let request = self.dynamodb().create_table().table_name(name).key_schema(key.unwrap());
        let request = request.attribute_definitions(attribute.unwrap());
        request.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    }

    /// Whether the table can be had back as it was, and is not deleted by accident.
    async fn is_table_safe(&self) -> bool {
        let (name, client) = (self.place.table.as_str(), self.dynamodb());
        let table = client.describe_table().table_name(name).send().await.unwrap().table.unwrap();
        let backups = client.describe_continuous_backups().table_name(name).send().await.unwrap();
        let backups = backups.continuous_backups_description.unwrap();
        let recovery = backups.point_in_time_recovery_description.unwrap().point_in_time_recovery_status;
        table.deletion_protection_enabled == Some(true)
            && recovery == Some(PointInTimeRecoveryStatus::Enabled)
    }

    /// A client beside the store's own.
    fn s3(&self) -> aws_sdk_s3::Client {
        let s3 = aws_sdk_s3::config::Builder::from(&self.config()).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(s3)
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config())
    }

    fn config(&self) -> aws_config::SdkConfig {
        aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new(self.access.region.clone()))
            .endpoint_url(self.access.sandbox.clone().unwrap())
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                aws_credential_types::Credentials::new(&self.access.account, "test", None, None, "test"),
            ))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }

    async fn store(&self) -> S3Store {
        let settings = LockSettings {
            lease: Duration::from_secs(600),
            timeout: Some(Duration::ZERO),
            longest_call: Duration::from_secs(60),
        };
        S3Store::open(&self.access, &self.place, "langsmith/dev", settings, clock(), Arc::new(|_| {}))
            .await
            .unwrap()
    }

    async fn lock(&self, number: u128) -> Result<Box<dyn Session>, StoreError> {
        let holder = LockHolder {
            operation: Uuid::from_u128(number),
            command: "up".to_owned(),
            user: format!("user-{number}"),
            host: "host".to_owned(),
            process_id: std::process::id(),
            since: Timestamp::now(),
        };
        self.store().await.lock(&holder).await
    }
}

/// Emulators change their state at once: minutes of waiting are seconds.
fn clock() -> Clock {
    Clock::paced(Timestamp::now(), 100.0)
}

#[test]
fn a_place_is_made_once() {
    run(async {
        let account = Account::open();
        assert_eq!(
            account.set_up().await,
            Bootstrapped { bucket: true, key: true, table: true, changed: vec![] }
        );
        assert_eq!(account.set_up().await, Bootstrapped::default());
    });
}

#[test]
fn what_was_left_half_made_is_set_up_by_the_next_one() {
    run(async {
        for has_table in [false, true] {
            let account = Account::open();
            let (s3, bucket) = (account.s3(), &account.place.bucket);
            let region = BucketLocationConstraint::from(account.access.region.as_str());
            let region = CreateBucketConfiguration::builder().location_constraint(region).build();
            let request = s3.create_bucket().bucket(bucket).create_bucket_configuration(region);
            request.send().await.unwrap();
            if has_table {
                account.make_bare_table().await;
            }
            let made = bootstrap(&account.access, &account.place, SetUp::Made, &clock()).await.unwrap();
            assert_eq!((made.bucket, made.key, made.table), (false, true, !has_table));
            let versioning = s3.get_bucket_versioning().bucket(bucket).send().await.unwrap();
            assert_eq!(versioning.status(), Some(&BucketVersioningStatus::Enabled));
            let policy = s3.get_bucket_policy().bucket(bucket).send().await.unwrap();
            assert!(policy.policy().unwrap().contains("aws:SecureTransport"));
            assert!(account.is_table_safe().await);
            let again = bootstrap(&account.access, &account.place, SetUp::Made, &clock()).await.unwrap();
            assert_eq!(again, Bootstrapped::default());
        }
    });
}

#[test]
fn what_the_owner_has_set_of_a_bucket_stays() {
    use aws_sdk_s3::types::{
        BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
        LifecycleRuleFilter, ServerSideEncryption, ServerSideEncryptionByDefault,
        ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    };
    run(async {
        let account = Account::open();
        account.set_up().await;
        let (s3, bucket) = (account.s3(), &account.place.bucket);
        let own = serde_json::json!({
            "Sid": "Auditors", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
            "Resource": format!("arn:aws:s3:::{bucket}"),
        });
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [own]}).to_string();
        s3.put_bucket_policy().bucket(bucket).policy(policy).send().await.unwrap();
        let kms =
            ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms).build();
        let rule =
            ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(kms.unwrap()).build();
        let kms = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        let request = s3.put_bucket_encryption().bucket(bucket);
        request.server_side_encryption_configuration(kms).send().await.unwrap();
        let rule = LifecycleRule::builder()
            .id("own")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("exports/").build())
            .expiration(LifecycleExpiration::builder().days(30).build())
            .build();
        let own_rule = BucketLifecycleConfiguration::builder().rules(rule.unwrap()).build().unwrap();
        let request = s3.put_bucket_lifecycle_configuration().bucket(bucket);
        request.lifecycle_configuration(own_rule).send().await.unwrap();

        let only_what_is_made = bootstrap(&account.access, &account.place, SetUp::Made, &clock()).await;
        assert_eq!(only_what_is_made.unwrap(), Bootstrapped::default());
        assert_eq!(account.set_up().await.changed.len(), 2);
        assert_eq!(account.set_up().await, Bootstrapped::default());

        let policy = s3.get_bucket_policy().bucket(bucket).send().await.unwrap();
        let policy: serde_json::Value = serde_json::from_str(policy.policy().unwrap()).unwrap();
        assert_eq!(policy["Statement"][0], own);
        assert_eq!(policy["Statement"][1]["Sid"], "TlsOnly");
        let encryption = s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
        let encryption = encryption.server_side_encryption_configuration().unwrap().rules()[0].clone();
        let algorithm = encryption.apply_server_side_encryption_by_default().unwrap().sse_algorithm().clone();
        assert_eq!(algorithm, ServerSideEncryption::AwsKms);
        let lifecycle = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
        let ids: Vec<_> = lifecycle.rules().iter().filter_map(|rule| rule.id()).collect();
        assert_eq!(ids, ["own", "old-versions"]);
    });
}

#[test]
fn what_is_written_comes_back() {
    run(async {
        let account = Account::bootstrapped().await;
        let store = account.store().await;
        assert_eq!(store.load().await.unwrap(), Stored::default());
        let mut session = account.lock(1).await.unwrap();
        session.save(&snapshot(1), Some(&record(1))).await.unwrap();
        for entries in every_entry().chunks(3) {
            session.append(entries).await.unwrap();
        }
        let stored = Stored { snapshot: Some(snapshot(1)), journal: every_entry(), ..Stored::default() };
        assert_eq!(store.load().await.unwrap(), stored);
        session.release().await.unwrap();

        let mut session = account.lock(2).await.unwrap();
        assert_eq!(*session.stored(), stored);
        session.save(&snapshot(2), Some(&record(2))).await.unwrap();
        assert!(session.save(&snapshot(4), None).await.is_err(), "serials have no gaps");
        session.release().await.unwrap();
        assert_eq!(store.load().await.unwrap(), Stored { snapshot: Some(snapshot(2)), ..Stored::default() });
        assert_eq!(store.history().await.unwrap(), [record(1), record(2)]);
    });
}

#[test]
fn an_earlier_snapshot_is_got_back_while_the_bucket_keeps_it() {
    run(async {
        let account = Account::bootstrapped().await;
        let store = account.store().await;
        let mut session = account.lock(1).await.unwrap();
        for serial in 1..=3 {
            session.save(&snapshot(serial), Some(&record(serial))).await.unwrap();
        }
        session.release().await.unwrap();
        for serial in 1..=3 {
            assert_eq!(store.snapshot(serial).await.unwrap(), Some(snapshot(serial)), "serial {serial}");
        }
        assert_eq!(store.snapshot(4).await.unwrap(), None);

        // As the lifecycle does it one day.
        let key = "langsmith/dev/snapshot.json";
        let (s3, bucket) = (account.s3(), &account.place.bucket);
        let versions = s3.list_object_versions().bucket(bucket).prefix(key).send().await.unwrap();
        let replaced = versions.versions().iter().filter(|version| version.is_latest() != Some(true));
        let ids: Vec<_> = replaced.map(|version| version.version_id().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2);
        for id in ids {
            s3.delete_object().bucket(bucket).key(key).version_id(id).send().await.unwrap();
        }
        assert_eq!(store.snapshot(2).await.unwrap(), None);
        assert_eq!(store.snapshot(3).await.unwrap(), Some(snapshot(3)));
    });
}

#[test]
fn a_held_lock_is_seen_and_taken_away_by_force() {
    run(async {
        let account = Account::bootstrapped().await;
        let store = account.store().await;
        assert_eq!(store.held_lock().await.unwrap(), None);
        let mut session = account.lock(1).await.unwrap();
        let held = store.held_lock().await.unwrap().unwrap();
        assert_eq!((held.holder.user.as_str(), held.process), ("user-1", HolderProcess::Alive));
        let by =
            LockHolder { operation: Uuid::from_u128(2), user: "user-2".to_owned(), ..held.holder.clone() };
        let refused = store.unlock(&held, &by, false).await;
        assert!(matches!(refused, Err(StoreError::Locked { .. })), "{refused:?}");
        assert!(store.unlock(&held, &by, true).await.unwrap());
        assert_eq!(store.held_lock().await.unwrap(), None);
        let refused = session.append(&every_entry()).await;
        assert!(matches!(refused, Err(StoreError::LockLost { .. })), "{refused:?}");
        account.lock(3).await.unwrap().release().await.unwrap();
    });
}

#[test]
fn of_many_at_once_one_gets_the_lock_and_the_others_are_told_who_has_it() {
    run(async {
        let account = Arc::new(Account::bootstrapped().await);
        let wanted = (1..=6).map(|number| {
            let account = Arc::clone(&account);
            async move { account.lock(number).await }
        });
        let (mut got, mut told) = (Vec::new(), 0);
        for answer in join_all(wanted).await {
            match answer {
                Ok(session) => got.push(session),
                Err(StoreError::Locked { holder }) => {
                    assert!(holder.user.starts_with("user-"));
                    told += 1;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((got.len(), told), (1, 5));
        got.pop().unwrap().release().await.unwrap();
        account.lock(7).await.unwrap().release().await.unwrap();
    });
}

#[test]
fn a_place_that_is_not_there_is_said_to_be_missing() {
    run(async {
        let account = Account::open();
        let error = account.store().await.load().await.unwrap_err();
        let StoreError::Call { source, location, .. } = error else { panic!("{error:?}") };
        assert_eq!((source.kind, source.code.as_deref()), (ErrorKind::NotFound, Some("NoSuchBucket")));
        assert!(location.starts_with(&format!("s3://{}/langsmith/dev/", account.place.bucket)), "{location}");
        let Err(StoreError::Call { source, .. }) = account.lock(1).await else { panic!("locked") };
        assert_eq!(source.kind, ErrorKind::NotFound, "{source:?}");
    });
}
