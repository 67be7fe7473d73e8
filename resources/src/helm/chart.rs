//! Charts: where they come from, and that they are what they were.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use lsinfra_engine::{InputProblem, Property, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::helm::HelmError;
use crate::helm::manifest::{Manifest, at};
use crate::helm::program::Helm;

/// What a digest begins with.
const DIGEST_PREFIX: &str = "sha256:";
const DIGEST_HEXADECIMALS: usize = 64;

/// A chart: a package of templates, by where it is published, its name and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Property)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// The repository that publishes it, such as `https://langchain-ai.github.io/helm` or `oci://ghcr.io/charts`.
    pub repository: String,
    /// Its name there, such as `langsmith`.
    pub name: String,
    /// Its version, such as `0.16.11`: one, never a range.
    pub version: String,
    /// The SHA-256 of its archive, as `sha256:` and 64 hexadecimals. Without one the first that is seen counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

impl Chart {
    /// What is wrong with it.
    pub(crate) fn check(&self) -> Vec<InputProblem> {
        let mut problems = Vec::new();
        let mut problem = |field: &str, message: &str| {
            problems.push(InputProblem { path: format!("chart.{field}"), message: message.to_owned() });
        };
        let is_known = ["https://", "http://", "oci://"].iter().any(|form| self.repository.starts_with(form));
        if !is_known {
            problem("repository", "a repository is a URL that begins with https:// or oci://");
        }
        let is_name = |text: &str, more: &str| {
            let is_legal = |it: char| it.is_ascii_alphanumeric() || more.contains(it);
            text.starts_with(|it: char| it.is_ascii_alphanumeric()) && text.chars().all(is_legal)
        };
        if !is_name(&self.name, "-._") {
            problem("name", "a chart's name consists of letters, digits and -._");
        }
        let is_single = is_name(&self.version, "-.+") && self.version.split('.').count() >= 3;
        if !is_single {
            problem("version", "a version is one of three numbers, such as 1.2.3, and no range");
        }
        if self.digest.as_ref().is_some_and(|digest| !is_digest(digest)) {
            problem("digest", "a digest is `sha256:` and 64 hexadecimals");
        }
        problems
    }

    /// Name and version, for messages.
    pub fn label(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    fn file_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }

    /// The arguments that make helm download it.
    fn pull_args(&self, destination: &Path) -> Vec<OsString> {
        let mut args: Vec<OsString> = if self.repository.starts_with("oci://") {
            vec![format!("{}/{}", self.repository.trim_end_matches('/'), self.name).into()]
        } else {
            vec![self.name.clone().into(), "--repo".into(), self.repository.clone().into()]
        };
        args.extend(["--version".into(), self.version.clone().into()]);
        args.extend(["--destination".into(), destination.into()]);
        args
    }
}

fn is_digest(text: &str) -> bool {
    let is_hexadecimal = |it: char| it.is_ascii_digit() || ('a'..='f').contains(&it);
    text.strip_prefix(DIGEST_PREFIX)
        .is_some_and(|rest| rest.len() == DIGEST_HEXADECIMALS && rest.chars().all(is_hexadecimal))
}

/// A chart's archive on this host.
#[derive(Clone, Debug)]
pub(crate) struct Archive {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its digest: `sha256:…`.
    pub(crate) digest: String,
}

impl Helm {
    /// Makes sure that a chart can be had: it is in the folder of charts, or downloaded.
    ///
    /// # Errors
    /// [`HelmError::NoChart`], [`HelmError::OtherDigest`], and those of a download.
    pub async fn fetch(&self, chart: &Chart) -> Result<(), HelmError> {
        self.archive(chart).await.map(drop)
    }

    /// The archive of a chart: of the folder of charts if there is one, or as it was downloaded, now or before.
    ///
    /// # Errors
    /// [`HelmError::NoChart`], [`HelmError::OtherDigest`], and those of a download.
    pub(crate) async fn archive(&self, chart: &Chart) -> Result<Archive, HelmError> {
        let path = match &self.charts {
            Some(folder) => folder.join(chart.file_name()),
            None => self.downloaded(chart).await?,
        };
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(HelmError::NoChart { path });
            }
            read => read.map_err(HelmError::file(&path))?,
        };
        let digest = format!("{DIGEST_PREFIX}{}", hexadecimal(&Sha256::digest(bytes)));
        match &chart.digest {
            Some(expected) if *expected != digest => Err(HelmError::OtherDigest {
                chart: chart.label(),
                found: digest,
                expected: expected.clone(),
            }),
            _ => Ok(Archive { path, digest }),
        }
    }

    async fn downloaded(&self, chart: &Chart) -> Result<PathBuf, HelmError> {
        let repository = hexadecimal(&Sha256::digest(&chart.repository));
        let folder = self.cache.join("charts").join(&repository[..16]);
        let path = folder.join(chart.file_name());
        if path.is_file() {
            return Ok(path);
        }
        std::fs::create_dir_all(&folder).map_err(HelmError::file(&folder))?;
        // Beside its place, so that it can be put there at once.
        let download = tempfile::tempdir_in(&folder).map_err(HelmError::file(&folder))?;
        self.run(&self.folder()?, "pull", chart.pull_args(download.path())).await?;
        let downloaded = download.path().join(chart.file_name());
        std::fs::rename(&downloaded, &path).map_err(HelmError::file(&downloaded))?;
        Ok(path)
    }

    /// The version of the application that a chart installs, if it names one.
    pub(crate) async fn app_version(&self, archive: &Archive) -> Result<Option<String>, HelmError> {
        let args = vec!["chart".into(), archive.path.clone().into()];
        let text = self.run(&self.folder()?, "show", args).await?;
        let described: serde_json::Value = serde_saphyr::from_str(&text)
            .map_err(|_| HelmError::Manifest { problem: "its Chart.yaml is no YAML".to_owned() })?;
        let described = Value::from_plain_json(described);
        Ok(match at(&described, &["appVersion"]) {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    }

    /// The chart's own values, which say what it can be given.
    ///
    /// # Errors
    /// [`HelmError`] for no usable helm, a chart that is not there, and values that are no YAML.
    pub async fn chart_values(&self, chart: &Chart) -> Result<serde_json::Value, HelmError> {
        self.check().await?;
        let archive = self.archive(chart).await?;
        let text = self.run(&self.folder()?, "show", vec!["values".into(), archive.path.into()]).await?;
        serde_saphyr::from_str(&text)
            .map_err(|_| HelmError::Manifest { problem: "its values.yaml is no YAML".to_owned() })
    }

    /// The custom resource definitions that a chart has beside its templates: helm installs them once and never
    /// again. <https://helm.sh/docs/chart_best_practices/custom_resource_definitions/>
    pub(crate) async fn crds(&self, archive: &Archive) -> Result<Manifest, HelmError> {
        let args = vec!["crds".into(), archive.path.clone().into()];
        Manifest::parse(&self.run(&self.folder()?, "show", args).await?)
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn chart() -> Chart {
        Chart {
            repository: "https://charts.example.com".to_owned(),
            name: "web".to_owned(),
            version: "1.2.3".to_owned(),
            digest: None,
        }
    }

    #[test]
    fn what_is_no_chart_is_said_at_once() {
        assert!(chart().check().is_empty());
        let oci = Chart { repository: "oci://ghcr.io/charts".to_owned(), ..chart() };
        assert!(oci.check().is_empty());
        for (wrong, path) in [
            (Chart { repository: "stable".to_owned(), ..chart() }, "chart.repository"),
            (Chart { name: "../web".to_owned(), ..chart() }, "chart.name"),
            (Chart { name: "--web".to_owned(), ..chart() }, "chart.name"),
            (Chart { version: "~1.2".to_owned(), ..chart() }, "chart.version"),
            (Chart { version: "1.2".to_owned(), ..chart() }, "chart.version"),
            (Chart { digest: Some("sha256:12".to_owned()), ..chart() }, "chart.digest"),
        ] {
            let problems = wrong.check();
            assert_eq!(problems.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), [path], "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_folder_of_charts_stands_for_all_repositories() {
        let folder = tempfile::tempdir().unwrap();
        let helm = Helm::new(None, Some(folder.path().to_owned()), folder.path().join("cache"));
        let error = helm.archive(&chart()).await.unwrap_err();
        assert!(error.to_string().contains("web-1.2.3.tgz"), "{error}");
        std::fs::write(folder.path().join("web-1.2.3.tgz"), "abc").unwrap();
        let archive = helm.archive(&chart()).await.unwrap();
        let digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(archive.digest, digest);
        let pinned = |digest: &str| Chart { digest: Some(digest.to_owned()), ..chart() };
        helm.archive(&pinned(digest)).await.unwrap();
        let error = helm.archive(&pinned(&digest.replace("ba78", "ba79"))).await.unwrap_err();
        assert!(matches!(error, HelmError::OtherDigest { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_chart_is_downloaded_once() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("helm");
        let script = "#!/bin/sh\n[ \"$1\" = version ] && echo v4.0.0 && exit\n\
                      echo \"$@\" >> \"$(dirname \"$0\")/calls\"\nfor last; do :; done\necho abc > \"$last/web-1.2.3.tgz\"\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        let helm = Helm::new(Some(program), None, folder.path().join("cache"));
        let first = helm.archive(&chart()).await.unwrap();
        let second = helm.archive(&chart()).await.unwrap();
        assert_eq!((&first.path, &first.digest), (&second.path, &second.digest));
        let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
        assert_eq!(calls.lines().count(), 1);
        assert!(calls.starts_with("pull web --repo https://charts.example.com --version 1.2.3 "), "{calls}");
    }
}
