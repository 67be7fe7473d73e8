//! AWS Certificate Manager. <https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html>

mod certificate;
mod certificate_validation;
mod state;

pub use certificate::{Certificate, CertificateOutputs, KeyAlgorithm, ValidationRecord};
pub use certificate_validation::{CertificateValidation, CertificateValidationOutputs};
