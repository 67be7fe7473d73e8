//! What a planned installation or upgrade comes to: the objects that change, as the chart renders them.

use lsinfra_engine::provider::{Connect, ExplainRequest, Explanation, ProviderError, Recorded};
use lsinfra_engine::{Property, Value};

use crate::helm::HelmError;
use crate::helm::chart::{Archive, Chart};
use crate::helm::client::HelmClient;
use crate::helm::difference::{Difference, difference};
use crate::helm::manifest::Manifest;
use crate::helm::release::latest;
use crate::helm::render::{Capabilities, Rendering, with_placeholders};

/// The member of a connection that tells the version of a cluster that is yet to be made.
const VERSION: &str = "kubernetes_version";

/// Renders what is planned and compares it with the release in the cluster, or with what is on record where the cluster
/// does not answer, or with nothing before there is a release.
///
/// # Errors
/// [`ProviderError`] if there is no helm, no chart, or the chart refuses its values.
pub(crate) async fn explain(
    connect: &dyn Connect<HelmClient>,
    request: ExplainRequest<'_>,
) -> Result<Explanation, ProviderError> {
    let text = |name: &str| request.inputs.get(name).and_then(Value::as_text);
    let chart = request.inputs.get("chart").filter(|chart| !chart.has_unknown());
    let (Some(name), Some(namespace), Some(chart)) = (text("name"), text("namespace"), chart) else {
        return Ok(Explanation::missing("what is installed, and where, is known only after apply"));
    };
    let chart = Chart::from_value(chart)?;
    let values = request.inputs.get("values").map(with_placeholders);
    let values = values.unwrap_or_else(|| Value::Map(Default::default()));
    let place = if request.may_call { request.connection } else { &Value::Unknown };
    let client = connect.connect(place).await?;
    let archive = client.helm.archive(&chart).await?;
    check_recorded(request.previous, &chart, &archive)?;

    let base = base(&client, &request, namespace, name).await;
    let rendering = Rendering {
        name,
        namespace,
        archive: &archive,
        values: &values,
        is_upgrade: base.is_upgrade,
        capabilities: &base.capabilities,
    };
    let planned = client.helm.render(&rendering).await?.digested(request.secret_key);
    let again = client.helm.render(&rendering).await?.digested(request.secret_key);
    let Difference { parts, relabelled } = difference(&base.manifest, &planned, &again);
    let mut notes = base.notes;
    if relabelled > 0 {
        let objects = if relabelled == 1 { "one object changes" } else { "objects change" };
        let count = if relabelled == 1 { String::new() } else { format!("{relabelled} ") };
        notes.push(format!("{count}{objects} in nothing but the labels and annotations that carry versions"));
    }
    Ok(Explanation { compared_with: Some(base.compared_with), parts, notes })
}

/// Refuses a chart that is not the one that was installed under that version.
fn check_recorded(previous: Option<&Recorded>, chart: &Chart, archive: &Archive) -> Result<(), HelmError> {
    let Some(previous) = previous else { return Ok(()) };
    let installed = previous.inputs.get("chart").and_then(|chart| Chart::from_value(chart).ok());
    let is_same = installed.is_some_and(|it| it.name == chart.name && it.version == chart.version);
    let recorded = previous.outputs.get("chart_digest").and_then(Value::as_text).filter(|_| is_same);
    match recorded {
        Some(recorded) if recorded != archive.digest => Err(HelmError::ChangedChart {
            chart: chart.label(),
            found: archive.digest.clone(),
            recorded: recorded.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// What a plan is compared with.
struct Base {
    manifest: Manifest,
    compared_with: String,
    /// Whether there is a release: charts render otherwise then.
    is_upgrade: bool,
    capabilities: Capabilities,
    notes: Vec<String>,
}

async fn base(client: &HelmClient, request: &ExplainRequest<'_>, namespace: &str, name: &str) -> Base {
    let mut notes = Vec::new();
    if client.cluster().is_ok() {
        match in_cluster(client, request, namespace, name).await {
            Ok(base) => return base,
            Err(error) => notes.push(format!("the cluster was not asked: {}", error.message)),
        }
    }
    let version = request.connection.as_map().and_then(|members| members.get(VERSION)?.as_text());
    let capabilities =
        Capabilities { kubernetes_version: version.map(str::to_owned), api_versions: Vec::new() };
    let recorded = request.previous.and_then(|previous| {
        let manifest = previous.outputs.get("manifest").and_then(Value::as_text)?;
        Some((Manifest::parse(manifest).ok()?, previous.outputs.get("revision").cloned().unwrap_or_default()))
    });
    match recorded {
        Some((manifest, revision)) => {
            let compared_with = format!("what is on record of revision {revision:?}");
            Base { manifest, compared_with, is_upgrade: true, capabilities, notes }
        }
        None => nothing(capabilities, notes),
    }
}

fn nothing(capabilities: Capabilities, notes: Vec<String>) -> Base {
    let compared_with = "nothing, since there is no release yet".to_owned();
    Base { manifest: Manifest::default(), compared_with, is_upgrade: false, capabilities, notes }
}

async fn in_cluster(
    client: &HelmClient,
    request: &ExplainRequest<'_>,
    namespace: &str,
    name: &str,
) -> Result<Base, ProviderError> {
    let capabilities = client.capabilities().await?;
    let history = client.history(namespace, name).await?;
    let Some(revision) = latest(&history) else { return Ok(nothing(capabilities, Vec::new())) };
    let manifest = client.applied(namespace, name, revision.number).await?.digested(request.secret_key);
    let compared_with = format!("revision {} in the cluster", revision.number);
    Ok(Base { manifest, compared_with, is_upgrade: true, capabilities, notes: Vec::new() })
}
