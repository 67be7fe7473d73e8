//! Buckets themselves: made, found, listed, deleted.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>

use http::StatusCode;
use winterbaume_s3::model::{
    Bucket as BucketAnswer, Buckets, CreateBucketConfiguration, ListBucketsOutput, Owner,
    PublicAccessBlockConfiguration,
};

use super::names::is_valid;
use super::{Bucket, BucketName, Versioning, everywhere, find, named, ownership, tagging};
use crate::cloud::call::{Call, Reply};
use crate::protocol::error::ServiceError;
use crate::services::s3::objects;
use crate::services::s3::wire::answers::{document_time, empty, set, xml, xml_text};
use crate::services::s3::wire::errors::{invalid_argument, not_implemented};
use crate::services::s3::wire::input::Input;
use crate::services::s3::wire::xml::read;

/// The region that needs no location constraint, and takes none.
const CLASSIC_REGION: &str = "us-east-1";
/// The most buckets of one page.
const MOST_LISTED: usize = 10_000;

pub(in crate::services::s3) fn create_bucket(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let name = input.bucket();
    if !is_valid(name) {
        let text = "The specified bucket is not valid.";
        return Err(ServiceError::new(400, "InvalidBucketName", text).with("BucketName", name));
    }
    let body = input.body()?;
    let configuration: CreateBucketConfiguration =
        if body.is_empty() { CreateBucketConfiguration::default() } else { read(body)? };
    let object_lock = match input.header("x-amz-bucket-object-lock-enabled") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(invalid_argument("Invalid value", "x-amz-bucket-object-lock-enabled", other));
        }
    };
    let owned_by = input.header("x-amz-object-ownership").unwrap_or(ownership::DEFAULT);
    ownership::check(owned_by)?;
    if !matches!(input.header("x-amz-acl"), None | Some("private")) {
        return Err(ServiceError::new(
            400,
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ));
    }
    input.finish()?;
    if configuration.bucket.is_some() || configuration.location.is_some() {
        return Err(not_implemented("directory buckets"));
    }
    let region = call.scope.region.to_string();
    check_location(&region, configuration.location_constraint.as_deref())?;
    let tags = configuration.tags.map(|tags| tagging::checked(tags.items)).transpose()?;
    if let Some(taken) = call.tables.s3.names.get(&everywhere(), name) {
        if *taken.account != *call.scope.account {
            return Err(ServiceError::new(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
            )
            .with("BucketName", name));
        }
        // In the oldest region an owner who makes a bucket again is told that it is there, and nothing changes.
        if region != CLASSIC_REGION || taken.region != region {
            let text = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(ServiceError::new(409, "BucketAlreadyOwnedByYou", text).with("BucketName", name));
        }
        return Ok(created(name, &region));
    }
    let versioning = object_lock.then_some(Versioning::Enabled);
    let entry = BucketName {
        account: call.scope.account.to_string(),
        region: region.clone(),
        versioning,
        object_lock,
    };
    call.tables.s3.names.insert(&everywhere(), name, entry);
    let bucket = Bucket {
        region: region.clone(),
        created: call.now,
        tags: tags.filter(|tags| !tags.is_empty()),
        encryption: None,
        public_access_block: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(true),
            block_public_policy: Some(true),
            ignore_public_acls: Some(true),
            restrict_public_buckets: Some(true),
        }),
        ownership: Some(owned_by.to_owned()),
        policy: None,
        lifecycle: None,
        cors: None,
    };
    let scope = call.scope.global();
    call.tables.s3.buckets.insert(&scope, name, bucket);
    Ok(created(name, &region))
}

fn created(name: &str, region: &str) -> crate::protocol::Response {
    let mut response = empty(StatusCode::OK);
    let location = if region == CLASSIC_REGION {
        format!("/{name}")
    } else {
        format!("http://{name}.s3.amazonaws.com/")
    };
    set(&mut response, "location", &location);
    set(&mut response, "x-amz-bucket-arn", &format!("arn:aws:s3:::{name}"));
    response
}

/// The constraint must name the region that the request was sent to, except in the oldest, where there must be none.
fn check_location(region: &str, constraint: Option<&str>) -> Result<(), ServiceError> {
    let incompatible = |what: &str| {
        let text = format!(
            "The {what} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Err(ServiceError::new(400, "IllegalLocationConstraintException", text))
    };
    match constraint {
        None if region == CLASSIC_REGION => Ok(()),
        None => incompatible("unspecified"),
        Some(CLASSIC_REGION) if region == CLASSIC_REGION => {
            let text = "The specified location-constraint is not valid";
            Err(ServiceError::new(400, "InvalidLocationConstraint", text).with("LocationConstraint", region))
        }
        Some(constraint) if constraint == region => Ok(()),
        Some(constraint) => incompatible(constraint),
    }
}

pub(in crate::services::s3) fn head_bucket(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let bucket = find(call, input)?;
    let mut response = empty(StatusCode::OK);
    set(&mut response, "x-amz-bucket-region", &bucket.region);
    set(&mut response, "x-amz-access-point-alias", "false");
    set(&mut response, "x-amz-bucket-arn", &format!("arn:aws:s3:::{}", input.bucket()));
    Ok(response)
}

pub(in crate::services::s3) fn get_bucket_location(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let region = &find(call, input)?.region;
    const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
    Ok(xml_text(&if region == CLASSIC_REGION {
        format!("<LocationConstraint xmlns=\"{NAMESPACE}\"/>")
    } else {
        format!("<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>")
    }))
}

pub(in crate::services::s3) fn list_buckets(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    let prefix = input.query("prefix");
    let region = input.query("bucket-region");
    let most = input.number("max-buckets", MOST_LISTED)?.unwrap_or(MOST_LISTED);
    let after = input.query("continuation-token").map(objects::cursor).transpose()?;
    input.finish()?;
    let scope = call.scope.global();
    let mut found: Vec<(&str, &Bucket)> = call
        .tables
        .s3
        .buckets
        .iter(&scope)
        .filter(|(name, bucket)| {
            prefix.is_none_or(|prefix| name.starts_with(prefix))
                && region.is_none_or(|region| bucket.region == region)
                && after.as_ref().is_none_or(|after| *name > after.as_str())
        })
        .collect();
    let is_truncated = found.len() > most;
    found.truncate(most);
    let token = found.last().filter(|_| is_truncated).map(|(name, _)| objects::token(name));
    let items = found.iter().map(|(name, bucket)| BucketAnswer {
        bucket_arn: Some(format!("arn:aws:s3:::{name}")),
        bucket_region: Some(bucket.region.clone()),
        creation_date: Some(document_time(bucket.created)),
        name: Some((*name).to_owned()),
    });
    xml(&ListBucketsOutput {
        buckets: Some(Buckets { items: items.collect() }),
        continuation_token: token,
        owner: Some(owner(&call.scope.account)),
        prefix: prefix.map(str::to_owned),
    })
}

/// The owner as answers have it; canonical ids are the account's digits over and over.
pub(in crate::services::s3) fn owner(account: &str) -> Owner {
    let id: String = account.chars().cycle().take(64).collect();
    Owner { display_name: None, i_d: Some(id) }
}

pub(in crate::services::s3) fn delete_bucket(call: &mut Call<'_>, input: &Input<'_>) -> Reply {
    input.finish()?;
    let entry = named(call, input)?;
    let name = input.bucket();
    let scope = call.scope.global();
    let within = format!("{name}/");
    if call.tables.s3.objects.within(&scope, &within).next().is_some() {
        let text = match entry.versioning {
            None => "The bucket you tried to delete is not empty",
            Some(_) => {
                "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
            }
        };
        return Err(ServiceError::new(409, "BucketNotEmpty", text).with("BucketName", name));
    }
    // Uploads under way do not keep a bucket; they go with it.
    let uploads: Vec<String> =
        call.tables.s3.uploads.within(&scope, &within).map(|(id, _)| id.to_owned()).collect();
    for upload in uploads {
        call.tables.s3.uploads.remove(&scope, &upload);
    }
    call.tables.s3.buckets.remove(&scope, name);
    call.tables.s3.names.remove(&everywhere(), name);
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The error for a setting that was never made or was deleted.
pub(super) fn no_setting(code: &str, text: &str, input: &Input<'_>) -> ServiceError {
    ServiceError::new(404, code, text).with("BucketName", input.bucket())
}

/// The error for a bucket in the wrong state for a setting.
pub(super) fn invalid_state(text: &str) -> ServiceError {
    ServiceError::new(409, "InvalidBucketState", text)
}
