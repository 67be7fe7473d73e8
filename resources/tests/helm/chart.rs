//! A chart to test with, packaged by helm itself: a workload that runs, something that each render makes up, a hook.

use std::path::{Path, PathBuf};
use std::process::Command;

use lsinfra_resources::helm::Chart;
use lsinfra_sandbox::Binaries;

const TEMPLATE: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {helm.sh/chart: "web-{{ .Chart.Version }}"}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
      - name: web
        image: web
        {{- with .Values.secret }}
        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: {{ . }}, key: password}}}]
        {{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-generated}
stringData: {password: "{{ randAlphaNum 16 }}", fixed: hunter2}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: "post-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation}
spec:
  template:
    spec:
      restartPolicy: Never
      {{- if .Values.stuck }}
      nodeSelector: {nowhere: "true"}
      {{- end }}
      containers: [{name: migrate, image: web}]
"#;

const CRD: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
"#;

/// The chart of a version, packaged into a folder. `note` tells two packages of one version apart.
pub(crate) fn package(charts: &Path, version: &str, note: &str) -> Chart {
    let source = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = source.path().join("web").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file("Chart.yaml", &format!("apiVersion: v2\nname: web\nversion: {version}\nappVersion: '9'\n"));
    file("values.yaml", &format!("# {note}\nreplicas: 1\nsecret: ''\nstuck: false\n"));
    file("templates/all.yaml", TEMPLATE);
    file("crds/thing.yaml", CRD);
    let helm = Binaries::installed().unwrap().program("helm");
    let mut command = Command::new(helm);
    command.arg("package").arg(source.path().join("web")).arg("--destination").arg(charts);
    let output = command.env("HOME", source.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    chart("web", version)
}

/// A chart of the folder of charts.
pub(crate) fn chart(name: &str, version: &str) -> Chart {
    Chart {
        repository: "https://charts.example.com".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        digest: None,
    }
}

/// The folder with charts of others.
pub(crate) fn of_others() -> Option<PathBuf> {
    std::env::var_os("LSINFRA_CHARTS").map(PathBuf::from)
}
