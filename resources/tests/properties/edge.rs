//! Hosted zones, record sets and certificates.

use lsinfra_engine::{Output, Stack};
use lsinfra_resources::aws::acm::{Certificate, KeyAlgorithm};
use lsinfra_resources::aws::route53::{AliasTarget, HostedZone, HostedZoneId, RecordSet, RecordType};

use crate::case::{Case, Subject};
use crate::ground::{nothing, texts};
use crate::rig::tags;

pub(crate) fn cases() -> Vec<Case> {
    vec![zone(), zone_of_another_name(), record(), record_beside_none(), certificate()]
}

fn zone() -> Case {
    Subject::new(nothing, |(): &()| HostedZone { name: "example.com".into(), ..HostedZone::default() })
        .used_by(|stack, (), zone| {
            stack.add("app", app(&zone.id)).unwrap();
        })
        .change("comment", |(), zone| zone.comment = "langsmith".into())
        .change("comment", |(), zone| zone.comment = "someone's".into())
        .change("tags", |(), zone| zone.tags = tags([("Name", "zone")]).into())
        .change("tags", |(), zone| zone.tags = tags([("owner", "someone")]).into())
        .case("")
}

/// Records cannot follow a zone to another name.
fn zone_of_another_name() -> Case {
    Subject::new(nothing, |(): &()| HostedZone { name: "example.com".into(), ..HostedZone::default() })
        .change("name", |(), zone| zone.name = "example.org".into())
        .case("of another name")
}

fn app(zone: &Output<HostedZoneId>) -> RecordSet {
    RecordSet {
        zone_id: zone.into(),
        name: "app.example.com".into(),
        record_type: RecordType::A.into(),
        ttl_seconds: 60.into(),
        values: texts(["192.0.2.1", "192.0.2.2"]).into(),
        ..RecordSet::default()
    }
}

fn zones(stack: &Stack) -> [Output<HostedZoneId>; 2] {
    ["one", "two"].map(|name| {
        let zone = HostedZone { name: "example.com".into(), ..HostedZone::default() };
        stack.add(name, zone).unwrap().id.clone()
    })
}

fn record() -> Case {
    fn balancer(name: &str) -> AliasTarget {
        AliasTarget {
            zone_id: "Z1H1FL5HABSF5".to_owned(),
            dns_name: format!("{name}.us-west-2.elb.amazonaws.com"),
            evaluate_target_health: true,
        }
    }
    Subject::new(zones, |zones: &[Output<HostedZoneId>; 2]| app(&zones[0]))
        .change("ttl_seconds", |_, record| record.ttl_seconds = 300.into())
        .change("values", |_, record| record.values = texts(["192.0.2.3"]).into())
        .change("zone_id", |zones, record| record.zone_id = zones[1].clone().into())
        .change("name", |_, record| record.name = "www.example.com".into())
        .change_together(["record_type", "values"], |_, record| {
            record.record_type = RecordType::Txt.into();
            record.values = texts(["\"a text\""]).into();
        })
        .change_together(["record_type", "values"], |_, record| {
            record.record_type = RecordType::A.into();
            record.values = texts(["192.0.2.3"]).into();
        })
        .change_together(["ttl_seconds", "values", "alias"], |_, record| {
            record.ttl_seconds = Default::default();
            record.values = Default::default();
            record.alias = balancer("one").into();
        })
        .change("alias", |_, record| record.alias = balancer("two").into())
        // A record says something.
        .needs("alias")
        .case("")
}

/// A CNAME stands alone.
fn record_beside_none() -> Case {
    let inputs = |zones: &[Output<HostedZoneId>; 2]| RecordSet {
        values: texts(["one.example.org"]).into(),
        record_type: RecordType::Ns.into(),
        ..app(&zones[0])
    };
    Subject::new(zones, inputs)
        .change("record_type", |_, record| record.record_type = RecordType::Cname.into())
        .change("record_type", |_, record| record.record_type = RecordType::Ns.into())
        .exclusive("record_type")
        .needs("values")
        .needs("ttl_seconds")
        .case("that becomes a CNAME")
}

fn certificate() -> Case {
    let inputs = |(): &()| Certificate { domain_name: "app.example.com".into(), ..Certificate::default() };
    Subject::new(nothing, inputs)
        .change("tags", |(), certificate| certificate.tags = tags([("Name", "edge")]).into())
        .change("tags", |(), certificate| certificate.tags = tags([("owner", "someone")]).into())
        .change("domain_name", |(), certificate| certificate.domain_name = "www.example.com".into())
        .change("subject_alternative_names", |(), certificate| {
            certificate.subject_alternative_names = texts(["*.example.com"]).into();
        })
        .change("subject_alternative_names", |(), certificate| {
            certificate.subject_alternative_names = texts(["app.example.com"]).into();
        })
        .change("key_algorithm", |(), certificate| {
            certificate.key_algorithm = KeyAlgorithm::EcPrime256v1.into();
        })
        .case("")
}
