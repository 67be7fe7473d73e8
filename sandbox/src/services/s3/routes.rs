//! Which operation a request asks for: by its method, by whether it names a bucket and a key, and by the subresource in
//! its query. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

use super::buckets::{
    bucket, cors, encryption, lifecycle, object_lock, ownership, policy, public_access_block, tagging,
    versioning,
};
use super::objects::{copy, delete, get, list, list_versions, multipart, multipart_parts, put};
use super::wire::input::handled;
use super::wire::target::Target;
use crate::cloud::call::{Operation, changes, reads};
use crate::protocol::request::Request;

/// Query parameters that name a part of a bucket or an object, those included that the sandbox does not have.
pub(in crate::services::s3) const SUBRESOURCES: &[&str] = &[
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// What a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Account,
    Bucket,
    Object,
}

/// The way to an operation.
struct Route {
    method: &'static str,
    level: Level,
    subresource: &'static str,
    operation: Operation,
}

const fn route(method: &'static str, level: Level, subresource: &'static str, operation: Operation) -> Route {
    Route { method, level, subresource, operation }
}

/// The operation that `PUT` of an object becomes if it names a source; no query has this subresource.
const COPY: &str = "x-amz-copy-source";

use Level::{Account, Bucket, Object};

static ROUTES: &[Route] = &[
    route("GET", Account, "", reads("ListBuckets", |call| handled(call, bucket::list_buckets))),
    route("PUT", Bucket, "", changes("CreateBucket", |call| handled(call, bucket::create_bucket))),
    route("HEAD", Bucket, "", reads("HeadBucket", |call| handled(call, bucket::head_bucket))),
    route("DELETE", Bucket, "", changes("DeleteBucket", |call| handled(call, bucket::delete_bucket))),
    route(
        "GET",
        Bucket,
        "location",
        reads("GetBucketLocation", |call| handled(call, bucket::get_bucket_location)),
    ),
    route("PUT", Bucket, "versioning", changes("PutBucketVersioning", |call| handled(call, versioning::put))),
    route("GET", Bucket, "versioning", reads("GetBucketVersioning", |call| handled(call, versioning::get))),
    route("PUT", Bucket, "encryption", changes("PutBucketEncryption", |call| handled(call, encryption::put))),
    route("GET", Bucket, "encryption", reads("GetBucketEncryption", |call| handled(call, encryption::get))),
    route(
        "DELETE",
        Bucket,
        "encryption",
        changes("DeleteBucketEncryption", |call| handled(call, encryption::delete)),
    ),
    route(
        "PUT",
        Bucket,
        "lifecycle",
        changes("PutBucketLifecycleConfiguration", |call| handled(call, lifecycle::put)),
    ),
    route(
        "GET",
        Bucket,
        "lifecycle",
        reads("GetBucketLifecycleConfiguration", |call| handled(call, lifecycle::get)),
    ),
    route(
        "DELETE",
        Bucket,
        "lifecycle",
        changes("DeleteBucketLifecycle", |call| handled(call, lifecycle::delete)),
    ),
    route(
        "PUT",
        Bucket,
        "publicAccessBlock",
        changes("PutPublicAccessBlock", |call| handled(call, public_access_block::put)),
    ),
    route(
        "GET",
        Bucket,
        "publicAccessBlock",
        reads("GetPublicAccessBlock", |call| handled(call, public_access_block::get)),
    ),
    route(
        "DELETE",
        Bucket,
        "publicAccessBlock",
        changes("DeletePublicAccessBlock", |call| handled(call, public_access_block::delete)),
    ),
    route(
        "PUT",
        Bucket,
        "ownershipControls",
        changes("PutBucketOwnershipControls", |call| handled(call, ownership::put)),
    ),
    route(
        "GET",
        Bucket,
        "ownershipControls",
        reads("GetBucketOwnershipControls", |call| handled(call, ownership::get)),
    ),
    route(
        "DELETE",
        Bucket,
        "ownershipControls",
        changes("DeleteBucketOwnershipControls", |call| handled(call, ownership::delete)),
    ),
    route("PUT", Bucket, "policy", changes("PutBucketPolicy", |call| handled(call, policy::put))),
    route("GET", Bucket, "policy", reads("GetBucketPolicy", |call| handled(call, policy::get))),
    route(
        "GET",
        Bucket,
        "policyStatus",
        reads("GetBucketPolicyStatus", |call| handled(call, policy::status)),
    ),
    route("DELETE", Bucket, "policy", changes("DeleteBucketPolicy", |call| handled(call, policy::delete))),
    route("PUT", Bucket, "tagging", changes("PutBucketTagging", |call| handled(call, tagging::put))),
    route("GET", Bucket, "tagging", reads("GetBucketTagging", |call| handled(call, tagging::get))),
    route("DELETE", Bucket, "tagging", changes("DeleteBucketTagging", |call| handled(call, tagging::delete))),
    route("PUT", Bucket, "cors", changes("PutBucketCors", |call| handled(call, cors::put))),
    route("GET", Bucket, "cors", reads("GetBucketCors", |call| handled(call, cors::get))),
    route("DELETE", Bucket, "cors", changes("DeleteBucketCors", |call| handled(call, cors::delete))),
    route(
        "GET",
        Bucket,
        "object-lock",
        reads("GetObjectLockConfiguration", |call| handled(call, object_lock::get)),
    ),
    route("GET", Bucket, "list-type", reads("ListObjectsV2", |call| handled(call, list::list_objects_v2))),
    route(
        "GET",
        Bucket,
        "versions",
        reads("ListObjectVersions", |call| handled(call, list_versions::list_object_versions)),
    ),
    route(
        "GET",
        Bucket,
        "uploads",
        reads("ListMultipartUploads", |call| handled(call, multipart::list_multipart_uploads)),
    ),
    route("POST", Bucket, "delete", changes("DeleteObjects", |call| handled(call, delete::delete_objects))),
    route("PUT", Object, "", changes("PutObject", |call| handled(call, put::put_object))),
    route("PUT", Object, COPY, changes("CopyObject", |call| handled(call, copy::copy_object))),
    route("GET", Object, "", reads("GetObject", |call| handled(call, get::get_object))),
    route("HEAD", Object, "", reads("HeadObject", |call| handled(call, get::head_object))),
    route("DELETE", Object, "", changes("DeleteObject", |call| handled(call, delete::delete_object))),
    route(
        "POST",
        Object,
        "uploads",
        changes("CreateMultipartUpload", |call| handled(call, multipart::create)),
    ),
    route(
        "PUT",
        Object,
        "uploadId",
        changes("UploadPart", |call| handled(call, multipart_parts::upload_part)),
    ),
    route("GET", Object, "uploadId", reads("ListParts", |call| handled(call, multipart_parts::list_parts))),
    route(
        "POST",
        Object,
        "uploadId",
        changes("CompleteMultipartUpload", |call| handled(call, multipart::complete)),
    ),
    route(
        "DELETE",
        Object,
        "uploadId",
        changes("AbortMultipartUpload", |call| handled(call, multipart::abort)),
    ),
];

/// The names of all operations.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ROUTES.iter().map(|route| route.operation.name)
}

/// The operation, or a description of the request if the sandbox does not have it.
pub(super) fn find(request: &Request) -> Result<&'static Operation, String> {
    let target = Target::of(request);
    let level = match (target.bucket.is_empty(), target.key.is_empty()) {
        (true, _) => Account,
        (false, true) => Bucket,
        (false, false) => Object,
    };
    let named = request.query.iter().map(|(name, _)| name.as_str());
    let subresource = named.into_iter().find(|name| SUBRESOURCES.contains(name)).unwrap_or_default();
    let is_copy = level == Object && request.method == "PUT" && request.header(COPY).is_some();
    let wanted = match (is_copy, subresource) {
        (true, "") => COPY,
        // A part that is copied is an operation of its own, which the sandbox does not have.
        (true, _) => "copied part",
        (false, _) => subresource,
    };
    let is_it = |route: &&Route| {
        request.method == route.method && level == route.level && route.subresource == wanted
    };
    ROUTES.iter().find(is_it).map(|route| &route.operation).ok_or_else(|| {
        let level = format!("{level:?}").to_lowercase();
        format!("{} {level}?{wanted}", request.method)
    })
}
