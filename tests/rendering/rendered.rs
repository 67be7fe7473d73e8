//! What helm makes of a chart and its values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use lsinfra_sandbox::Binaries;
use serde_json::Value;

/// The version of Kubernetes that charts are rendered for.
const KUBERNETES: &str = "1.36.3";

/// Helm, and the folder of charts.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    helm: PathBuf,
    charts: PathBuf,
}

impl Tools {
    /// What there is, or what is lacking.
    pub(crate) fn find() -> Result<Self, &'static str> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let charts = set("LSINFRA_CHARTS").ok_or("no LSINFRA_CHARTS")?;
        let built = || Some(Binaries::installed()?.program("helm"));
        let helm = set("LSINFRA_HELM").or_else(built).ok_or("no helm")?;
        Ok(Self { helm, charts })
    }

    fn run(&self, arguments: &[&str]) -> String {
        let home = tempfile::tempdir().unwrap();
        let mut helm = Command::new(&self.helm);
        helm.args(arguments).env_clear().env("HOME", home.path());
        let output = helm.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn chart(&self, name: &str, version: &str) -> String {
        self.charts.join(format!("{name}-{version}.tgz")).to_string_lossy().into_owned()
    }

    /// The chart's own values.
    pub(crate) fn known_values(&self, chart: &str, version: &str) -> Value {
        serde_saphyr::from_str(&self.run(&["show", "values", &self.chart(chart, version)])).unwrap()
    }

    /// The objects that a chart makes of values, hooks among them.
    pub(crate) fn render(
        &self,
        release: &str,
        namespace: &str,
        chart: (&str, &str),
        values: &Value,
    ) -> Rendered {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("values.json");
        std::fs::write(&file, values.to_string()).unwrap();
        let text = self.run(&[
            "template",
            release,
            &self.chart(chart.0, chart.1),
            "--namespace",
            namespace,
            "--kube-version",
            KUBERNETES,
            "--values",
            &file.to_string_lossy(),
        ]);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        Rendered { objects: documents.into_iter().filter(Value::is_object).collect() }
    }
}

/// The objects of a release.
pub(crate) struct Rendered {
    objects: Vec<Value>,
}

impl Rendered {
    /// Those of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> std::vec::IntoIter<&Value> {
        let of_kind: Vec<&Value> = self.objects.iter().filter(|object| object["kind"] == kind).collect();
        of_kind.into_iter()
    }

    /// The names of those of a kind.
    pub(crate) fn names(&self, kind: &str) -> BTreeSet<&str> {
        self.of_kind(kind).map(|object| object["metadata"]["name"].as_str().unwrap()).collect()
    }

    /// The keys of secrets without which pods do not start, by secret.
    pub(crate) fn required_keys(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut required: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut visit = |value: &Value| {
            let reference = &value["secretKeyRef"];
            if reference.is_object() && reference["optional"] != true {
                let text = |field: &str| reference[field].as_str().unwrap().to_owned();
                required.entry(text("name")).or_default().insert(text("key"));
            }
        };
        self.objects.iter().for_each(|object| walk(object, &mut visit));
        required
    }
}

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| walk(member, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

/// What a pod of a workload is made from.
pub(crate) fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}
