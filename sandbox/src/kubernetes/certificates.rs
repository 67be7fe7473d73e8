//! The keys and certificates of one control plane, made once and kept in its folder.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

use super::ControlPlaneError;
use super::files::write_private;

/// Written last: with it all are there.
const CA: &str = "ca.crt";

/// Where the files of a control plane's identity are.
#[derive(Debug, Clone)]
pub(super) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Those of a folder, which must exist; made if they are not there.
    ///
    /// # Errors
    /// [`ControlPlaneError::Io`] and [`ControlPlaneError::Certificates`].
    pub(super) fn ensure(folder: &Path) -> Result<Self, ControlPlaneError> {
        let certificates = Self { folder: folder.to_owned() };
        if !certificates.authority().exists() {
            certificates.make()?;
        }
        Ok(certificates)
    }

    /// The certificate authority's own certificate.
    pub(super) fn authority(&self) -> PathBuf {
        self.folder.join(CA)
    }

    /// The API server's certificate and its key.
    pub(super) fn server(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("server.crt"), self.folder.join("server.key"))
    }

    /// The certificate of a member of `system:masters`, and its key.
    pub(super) fn administrator(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("administrator.crt"), self.folder.join("administrator.key"))
    }

    /// The key by which tokens of service accounts are checked, and the one that signs them.
    pub(super) fn service_accounts(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("service-accounts.pub"), self.folder.join("service-accounts.key"))
    }

    fn make(&self) -> Result<(), ControlPlaneError> {
        let mut authority = params(&[], "lsinfra sandbox", None)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let authority_key = KeyPair::generate()?;
        let authority_certificate = authority.self_signed(&authority_key)?;
        let issuer = Issuer::new(authority, authority_key);

        let names = [
            "127.0.0.1",
            "localhost",
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
        ];
        let mut server = params(&names, "kube-apiserver", None)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&issuer, &server, self.server())?;

        let mut administrator = params(&[], "lsinfra:sandbox", Some("system:masters"))?;
        administrator.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&issuer, &administrator, self.administrator())?;

        let service_accounts = KeyPair::generate()?;
        let (public, private) = self.service_accounts();
        write_private(&public, service_accounts.public_key_pem().as_bytes())?;
        write_private(&private, service_accounts.serialize_pem().as_bytes())?;

        Ok(write_private(&self.authority(), authority_certificate.pem().as_bytes())?)
    }

    fn issue(
        &self,
        issuer: &Issuer<'_, KeyPair>,
        params: &CertificateParams,
        (certificate, key): (PathBuf, PathBuf),
    ) -> Result<(), ControlPlaneError> {
        let own = KeyPair::generate()?;
        write_private(&certificate, params.signed_by(&own, issuer)?.pem().as_bytes())?;
        Ok(write_private(&key, own.serialize_pem().as_bytes())?)
    }
}

/// A certificate for names and addresses, that holds for as long as a sandbox may be kept.
fn params(
    names: &[&str],
    common_name: &str,
    organization: Option<&str>,
) -> Result<CertificateParams, ControlPlaneError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, common_name);
    if let Some(organization) = organization {
        subject.push(DnType::OrganizationName, organization);
    }
    params.distinguished_name = subject;
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2099, 12, 31);
    Ok(params)
}
