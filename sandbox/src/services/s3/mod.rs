//! Simple Storage Service: buckets with their settings, and objects with their versions. Bucket names are shared by all
//! accounts. What is kept in objects, and that a bucket exists, is seen at once; a bucket's settings, `ListBuckets` and
//! `HeadBucket` may lag. <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>

mod buckets;
mod objects;
mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::buckets::bucket_exists;

use jiff::Timestamp;

use super::{Item, Service, Tables};
use crate::cloud::call::Operation;
use crate::cloud::table::tables;
use crate::protocol::error::Protocol;
use crate::protocol::request::Request;

tables! {
    /// What S3 keeps.
    pub(crate) struct S3Tables {
        /// Whose a name is, in the empty scope, and what objects need to know of their bucket.
        names: buckets::BucketName = ("s3/name", Strong),
        /// Buckets with their settings, by name, in their account without a region.
        buckets: buckets::Bucket = ("s3/bucket", Eventual),
        /// Versions of objects, in their account; see [`objects::row_id`].
        objects: objects::Version = ("s3/object", Strong),
        /// Multipart uploads under way, in their account; see [`objects::row_id`].
        uploads: objects::Upload = ("s3/upload", Strong),
    }
}

/// The service.
pub(crate) struct S3;

impl Service for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn protocol(&self) -> Protocol {
        Protocol::S3
    }

    fn operation(&self, request: &Request) -> Result<&'static Operation, String> {
        routes::find(request)
    }

    fn operations(&self) -> Vec<&'static str> {
        routes::names().collect()
    }

    fn blobs<'t>(&self, tables: &'t Tables) -> Vec<&'t str> {
        let objects = tables.s3.objects.all().filter_map(|(_, _, version)| version.blob());
        objects.chain(tables.s3.uploads.all().flat_map(|(_, _, upload)| upload.blobs())).collect()
    }

    /// Buckets; what they hold belongs to whoever put it there.
    fn inventory(&self, tables: &Tables, _now: Timestamp) -> Vec<Item> {
        let buckets = tables.s3.buckets.all();
        let items = buckets.map(|(scope, name, bucket)| Item {
            service: "s3".to_owned(),
            kind: "bucket".to_owned(),
            id: name.to_owned(),
            account: scope.account.to_string(),
            region: bucket.region.clone(),
            tags: bucket.tags.iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect(),
        });
        items.collect()
    }
}
