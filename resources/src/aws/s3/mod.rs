//! Amazon S3: buckets.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html>

mod bucket;
mod calls;
mod empty;
mod lifecycle;
mod settings;

pub use bucket::{Bucket, BucketOutputs};
pub use lifecycle::LifecycleRule;
pub use settings::{Encryption, ObjectOwnership, PublicAccessBlock};
