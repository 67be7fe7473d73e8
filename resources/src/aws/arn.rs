//! Amazon resource names.

use lsinfra_engine::text_property;

text_property! {
    /// An Amazon resource name, `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    Arn
}
