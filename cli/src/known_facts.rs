//! What this release knows of AWS by a dated table, against what AWS says now: types of instances, and for how long a
//! version of Kubernetes has support.

use jiff::civil::Date;
use lsinfra_resources::aws::{self, AwsConnection, eks};
use lsinfra_stacks::capacity::{AS_OF, InstanceType};
use lsinfra_stacks::config::Config;

use crate::connection::Connection;
use crate::error::{CommandError, ErrorCode};
use crate::printer::Printer;

/// Warns of what has changed since the tables were made, and of a version whose support ends. Where AWS does not say
/// what its instances have, the table stands, with a warning.
///
/// # Errors
/// [`ErrorCode::ConfigInvalid`] if nodes are too small by what AWS says.
pub(crate) async fn check(
    config: &Config,
    connection: &Connection,
    printer: Printer,
) -> Result<(), CommandError> {
    let today = connection.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut warnings = support_warnings(config, today);
    let names: Vec<String> = config.instance_types().iter().map(|known| known.name.clone()).collect();
    let place = AwsConnection::new(&config.account, config.region.as_str());
    match aws::instance_types(&connection.connector, &place, &names).await {
        Ok(told) => {
            let told: Vec<InstanceType> = told.into_iter().map(figures).collect();
            warnings.extend(differences(config, &told)?);
        }
        Err(error) => warnings.push(format!(
            "what {} has was not checked, and is taken to be what it was in {AS_OF}: {}",
            names.join(" and "),
            error.message
        )),
    }
    for warning in warnings {
        printer.note(&format!("warning: {warning}\n"));
    }
    Ok(())
}

fn support_warnings(config: &Config, today: Date) -> Vec<String> {
    eks::support_warning(&config.cluster.version, today).iter().map(ToString::to_string).collect()
}

/// In what AWS's figures differ from this release's, if the nodes are large enough by them.
fn differences(config: &Config, told: &[InstanceType]) -> Result<Vec<String>, CommandError> {
    let problems: Vec<String> = config.capacity_problems(told).iter().map(ToString::to_string).collect();
    if !problems.is_empty() {
        let message = "the nodes do not do, by what AWS says of their types now";
        return Err(CommandError::new(ErrorCode::ConfigInvalid, message)
            .details(problems)
            .hint("choose others with `nodes` and `clickhouse.instance_type` in the configuration"));
    }
    let differing = |known: &&InstanceType| {
        let name = &known.name;
        let Some(told) = told.iter().find(|told| told.name == *name) else {
            return Some(format!(
                "{} lists no instances of the type {name}: nodes may not start",
                config.region
            ));
        };
        let differences = known.differences(told);
        (!differences.is_empty()).then(|| {
            format!("AWS says that {name} has {}, as this release knew it in {AS_OF}", differences.join(", "))
        })
    };
    Ok(config.instance_types().iter().filter_map(differing).collect())
}

fn figures(told: aws::InstanceType) -> InstanceType {
    InstanceType {
        name: told.name,
        vcpus: told.vcpus,
        memory_mib: told.memory_mib,
        ebs_baseline_megabits_per_second: told.ebs_baseline_megabits_per_second,
        network_interfaces: told.network_interfaces,
        ipv4_addresses_per_interface: told.ipv4_addresses_per_interface,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use jiff::civil::date;

    use super::*;

    fn config(more: &str) -> Config {
        let text = format!("profile = \"dev\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n{more}");
        Config::parse(Path::new("environments/dev.toml"), &text).unwrap()
    }

    #[test]
    fn other_figures_are_told_and_refused_only_where_they_do_not_do() {
        let config = config("[nodes]\ninstance_type = \"m7i.4xlarge\"\n");
        let known = InstanceType::known("m7i.4xlarge").unwrap();
        assert_eq!(differences(&config, std::slice::from_ref(&known)).unwrap(), [""; 0]);

        let faster = InstanceType { ebs_baseline_megabits_per_second: 6_000, ..known.clone() };
        let warnings = differences(&config, &[faster]).unwrap();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("6000 Mbit/s to volumes instead of 5000"), "{warnings:?}");

        let smaller = InstanceType { memory_mib: 16 * 1024, ..known };
        let refused = differences(&config, &[smaller]).unwrap_err();
        assert_eq!(refused.code, ErrorCode::ConfigInvalid);
        assert!(refused.details[0].contains("2 x m7i.4xlarge leave"), "{:?}", refused.details);

        let warnings = differences(&config, &[]).unwrap();
        assert_eq!(warnings, ["us-west-2 lists no instances of the type m7i.4xlarge: nodes may not start"]);
    }

    #[test]
    fn the_end_of_support_is_told_ninety_days_before() {
        let config = config("[cluster]\nversion = \"1.35\"\n");
        assert_eq!(support_warnings(&config, date(2026, 11, 26)), [""; 0]);
        let warnings = support_warnings(&config, date(2027, 1, 26));
        assert!(warnings[0].contains("ends on 2027-03-27"), "{warnings:?}");
    }
}
