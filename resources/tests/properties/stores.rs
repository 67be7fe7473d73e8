//! Buckets and tables.

use lsinfra_engine::{Output, Resource, Stack};
use lsinfra_resources::aws::dynamodb::{AttributeType, KeyAttribute, Table};
use lsinfra_resources::aws::iam::Policy;
use lsinfra_resources::aws::kms::KeyOutputs;
use lsinfra_resources::aws::s3::{Bucket, Encryption, LifecycleRule, ObjectOwnership, PublicAccessBlock};
use lsinfra_resources::aws::{Arn, PolicyDocument, Principal, Statement};

use crate::case::{Case, Subject};
use crate::ground::key;
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![bucket(), table()]
}

fn encrypted(key: &Output<Arn>, bucket_key: bool) -> Output<Encryption> {
    key.map(move |arn| Encryption::Kms { key_arn: arn.into(), bucket_key })
}

fn bucket() -> Case {
    fn allow(action: &str) -> Vec<Statement> {
        vec![Statement::allow([action]).to(Principal::aws(["arn:aws:iam::123456789012:root"]))]
    }
    fn expiring(days: i32) -> LifecycleRule {
        LifecycleRule { expiration_days: Some(days), ..LifecycleRule::new("short", "ttl_s/") }
    }
    fn aborting() -> LifecycleRule {
        LifecycleRule { abort_incomplete_multipart_days: Some(3), ..LifecycleRule::new("abort", "") }
    }
    let inputs = |_: &Resource<KeyOutputs>| Bucket { name: "lsinfra-test-blobs".into(), ..Bucket::default() };
    Subject::new(|stack: &Stack| key(stack, "key"), inputs)
        .used_by(|stack, _, bucket| {
            let reading = bucket.arn.map(|arn| {
                PolicyDocument::new([Statement::allow(["s3:GetObject"]).on([format!("{arn}/*")])])
            });
            let inputs =
                Policy { name: "reading".into(), policy_document: reading.into(), ..Policy::default() };
            stack.add("reading", inputs).unwrap();
        })
        .change("versioning", |_, bucket| bucket.versioning = true.into())
        .change("versioning", |_, bucket| bucket.versioning = false.into())
        .change("encryption", |key, bucket| bucket.encryption = encrypted(&key.arn, true).into())
        .change("encryption", |key, bucket| bucket.encryption = encrypted(&key.arn, false).into())
        .change("public_access_block", |_, bucket| {
            bucket.public_access_block =
                PublicAccessBlock { restrict_public_buckets: false, ..PublicAccessBlock::ALL }.into();
        })
        .change("public_access_block", |_, bucket| {
            bucket.public_access_block = PublicAccessBlock::ALL.into();
        })
        .change("object_ownership", |_, bucket| {
            bucket.object_ownership = ObjectOwnership::BucketOwnerPreferred.into();
        })
        .change("object_ownership", |_, bucket| {
            bucket.object_ownership = ObjectOwnership::BucketOwnerEnforced.into();
        })
        .change("tls_only", |_, bucket| bucket.tls_only = true.into())
        .change("tls_only", |_, bucket| bucket.tls_only = false.into())
        .change("policy_statements", |_, bucket| bucket.policy_statements = allow("s3:GetObject").into())
        .change("policy_statements", |_, bucket| bucket.policy_statements = allow("s3:ListBucket").into())
        .change("lifecycle_rules", |_, bucket| bucket.lifecycle_rules = vec![expiring(14)].into())
        .change("lifecycle_rules", |_, bucket| {
            bucket.lifecycle_rules = vec![expiring(7), aborting()].into();
        })
        .change("force_destroy", |_, bucket| bucket.force_destroy = true.into())
        .change("tags", |_, bucket| bucket.tags = tags([("Name", "blobs")]).into())
        .change("tags", |_, bucket| bucket.tags = tags([("owner", "someone")]).into())
        .change("name", |_, bucket| bucket.name = "lsinfra-test-others".into())
        .case("")
}

fn table() -> Case {
    fn attribute(name: &str, attribute_type: AttributeType) -> KeyAttribute {
        KeyAttribute { name: name.to_owned(), attribute_type }
    }
    let inputs = |_: &[Resource<KeyOutputs>; 2]| Table {
        name: "locks".into(),
        hash_key: attribute("id", AttributeType::String).into(),
        ..Table::default()
    };
    Subject::new(|stack: &Stack| ["one", "two"].map(|name| key(stack, name)), inputs)
        .change("point_in_time_recovery", |_, table| table.point_in_time_recovery = true.into())
        .change("point_in_time_recovery", |_, table| table.point_in_time_recovery = false.into())
        .change("deletion_protection", |_, table| table.deletion_protection = true.into())
        .change("deletion_protection", |_, table| table.deletion_protection = false.into())
        .change("kms_key_arn", |keys, table| table.kms_key_arn = keys[0].arn.clone().into())
        .change("kms_key_arn", |keys, table| table.kms_key_arn = keys[1].arn.clone().into())
        .change("tags", |_, table| table.tags = tags([("Name", "locks")]).into())
        .change("tags", |_, table| table.tags = tags([("owner", "someone")]).into())
        .change("name", |_, table| table.name = "others".into())
        .change("hash_key", |_, table| table.hash_key = attribute("id", AttributeType::Binary).into())
        .change("range_key", |_, table| table.range_key = attribute("at", AttributeType::Number).into())
        .change("range_key", |_, table| table.range_key = attribute("on", AttributeType::Number).into())
        .case("")
}
