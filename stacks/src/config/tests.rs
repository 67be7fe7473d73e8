//! What the config accepts, and what it says of what it does not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::*;

const MINIMAL: &str = r#"profile = "dev"
account = "111122223333"
region = "us-west-2"
"#;

/// What prod needs beside [`MINIMAL`].
const EDGE: &str =
    "[edge]\nhostname = \"langsmith.example.com\"\n[auth]\nadmin_email = \"platform@example.com\"\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("environments/dev.toml"), text)
}

/// The problems of `text` as they are printed, each over the characters that it marks.
fn problems(text: &str) -> String {
    let Err(ConfigError::Invalid(invalid)) = parse(text) else { panic!("accepted:\n{text}") };
    let mut shown = String::new();
    for problem in &invalid.problems {
        let one = InvalidConfig { file: invalid.file.clone(), problems: vec![problem.clone()] };
        let marked: String =
            problem.source_line.chars().skip(problem.column - 1).take(problem.width_characters).collect();
        writeln!(shown, "{one}\n    marks {marked:?}").unwrap();
    }
    shown
}

#[test]
fn the_shipped_environments_are_valid() {
    for (file, text) in [
        ("environments/dev.toml", include_str!("../../../environments/dev.toml")),
        ("environments/prod.toml", include_str!("../../../environments/prod.toml")),
    ] {
        let config = Config::parse(Path::new(file), text).unwrap_or_else(|error| panic!("{error}"));
        insta::assert_debug_snapshot!(format!("shipped_{}", config.environment), config);
    }
}

#[test]
fn a_minimal_config_takes_the_defaults_of_its_profile() {
    insta::assert_debug_snapshot!("minimal_dev", parse(MINIMAL).unwrap());
    insta::assert_debug_snapshot!(
        "minimal_prod",
        parse(&format!("{}{EDGE}", MINIMAL.replace("dev", "prod"))).unwrap()
    );
}

#[test]
fn every_key_is_accepted() {
    let text = r#"
        profile = "prod"
        account = "000000000001"
        region = "eu-central-1"
        stack = "observability"
        protect = false
        tags = { "team/name" = "a b", empty = "" }
        import = { "Vpc/main" = "vpc-0a1b" }
        [network]
        cidr = "172.16.0.0/20"
        zones = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
        public_subnets = ["172.16.0.0/26", "172.16.0.64/26", "172.16.0.128/26"]
        private_prefix_length = 22
        nat = "single"
        [cluster]
        version = "1.35"
        public_access_cidrs = ["203.0.113.0/24", "198.51.100.7/32"]
        admin_arns = ["arn:aws:iam::000000000001:role/platform", "arn:aws:iam::000000000001:user/ada"]
        [nodes]
        instance_type = "r7i.4xlarge"
        min_size = 4
        max_size = 4
        disk_gib = 20
        [postgres]
        instance_class = "db.m7g.2xlarge"
        version = "16.10"
        storage_gib = 400
        max_storage_gib = 400
        multi_az = false
        backup_days = 35
        max_connections = 2000
        slow_query_milliseconds = 250
        performance_insights = false
        final_snapshot = false
        [redis]
        node_type = "cache.r7g.xlarge"
        version = "7.1"
        nodes = 3
        snapshot_days = 35
        [clickhouse]
        mode = "external"
        instance_type = "m6in.8xlarge"
        volume_gib = 2000
        volume_iops = 16000
        volume_throughput_mebibytes_per_second = 2000
        host = "clickhouse.example.com"
        http_port = 8443
        native_port = 9440
        user = "langsmith"
        database = "traces"
        tls = false
        cluster = "main"
        [edge]
        exposure = "private"
        max_body_size_mebibytes = 100
        request_timeout_seconds = 3600
        hostname = "traces.eu.example.com"
        created_zone = "eu.example.com"
        [auth]
        mode = "oidc"
        admin_email = "ada@example.com"
        issuer_url = "https://login.example.com/tenant/v2.0"
        [alarms]
        enabled = true
        emails = ["oncall@example.com", "ada+aws@example.com"]
        [retention]
        short_lived_days = 7
        long_lived_days = 7
        [blobs]
        versioning = false
        noncurrent_expiry_days = 1
        abort_multipart_days = 3650
        on_destroy = "delete"
        [secrets]
        delivery = "direct"
        [replicas]
        frontend = { min = 1, max = 2 }
        backend = { min = 2, max = 50 }
        platform_backend = { min = 3, max = 20 }
        queue = { min = 1, max = 1 }
        ingest_queue = { min = 3, max = 24 }
        [charts]
        langsmith = "0.17.0-rc.12"
        aws_load_balancer_controller = "3.5.1"
        cluster_autoscaler = "9.60.0"
        external_secrets = "2.9.1"
        clickhouse_operator = "0.25.7"
    "#;
    let message = problems(text);
    // The listed public subnets lie where the private ones would be placed: a case of its own below.
    assert!(message.contains("overlaps with 172.16.0.0/22, the subnet private-1"), "{message}");
    let text = text.replace(
        "private_prefix_length = 22",
        r#"private_subnets = ["172.16.4.0/22", "172.16.8.0/22", "172.16.12.0/22"]"#,
    );
    insta::assert_debug_snapshot!("every_key", parse(&text).unwrap());
}

#[test]
fn tables_may_be_written_inline_or_dotted() {
    let dotted = parse(&format!("{MINIMAL}network.nat = \"per-zone\"\n")).unwrap();
    let inline = parse(&format!("{MINIMAL}network = {{ nat = \"per-zone\" }}\n")).unwrap();
    let table = parse(&format!("{MINIMAL}[network]\nnat = \"per-zone\"\n")).unwrap();
    assert_eq!(dotted, table);
    assert_eq!(inline, table);
    let NetworkConfig::Created(network) = table.network else { panic!("no network is made") };
    assert_eq!(network.nat, Nat::PerZone);
}

/// Bad configs: what is wrong, and the whole file.
fn bad_configs() -> Vec<(&'static str, String)> {
    let with = |more: &str| format!("{MINIMAL}{more}");
    let network = |more: &str| format!("{MINIMAL}[network]\n{more}\n");
    let many_tags: String = (0..41).map(|index| format!("tag-{index} = \"\"\n")).collect();
    vec![
        ("nothing", String::new()),
        ("no TOML", "profile = \"dev\"\nregion = us-west-2\n".to_owned()),
        ("a key twice", with("region = \"us-west-1\"\n")),
        ("an unknown key", with("acount = \"1\"\n")),
        ("an unknown table", with("[netwrok]\ncidr = \"10.0.0.0/16\"\n")),
        ("an unknown key in a table", network("zone-count = 2")),
        ("an unknown key that resembles nothing", network("color = \"blue\"")),
        ("a key in another's table", network("versioning = true")),
        ("a key of the file in a table", network("protect = true")),
        ("a value instead of a table", with("network = \"10.0.0.0/16\"\n")),
        ("prod without a host name", MINIMAL.replace("dev", "prod")),
        ("a zone without a host name", with("[edge]\ncreated_zone = \"example.com\"\n")),
        ("a host name outside its zone", with("[edge]\nhostname = \"langsmith.example.com\"\ncreated_zone = \"example.org\"\n")),
        ("a URL as host name", with("[edge]\nhostname = \"https://langsmith.example.com\"\n")),
        ("no minor version of Kubernetes", with("[cluster]\nversion = \"1.36.3\"\n")),
        ("an address that is in a range", with("[cluster]\npublic_access_cidrs = [\"203.0.113.7/24\", \"everywhere\"]\n")),
        ("a version of Kubernetes that EKS no longer has", with("[cluster]\nversion = \"1.20\"\n")),
        ("an API that is open to the world in prod", format!(
            "{}{EDGE}[cluster]\npublic_access_cidrs = [\"203.0.113.0/24\", \"0.0.0.0/0\"]\n", MINIMAL.replace("dev", "prod"),
        )),
        ("a session as administrator", with("[cluster]\nadmin_arns = [\"arn:aws:sts::111122223333:assumed-role/platform/ada\"]\n")),
        ("a slip in the type of nodes", with("[nodes]\ninstance_type = \"m7i.4xlrge\"\n")),
        ("an unknown type of nodes", with("[nodes]\ninstance_type = \"t3.medium\"\n")),
        ("more nodes at least than at most", with("[nodes]\nmin_size = 5\n")),
        ("nodes that are sold large enough", with("[nodes]\ninstance_type = \"m7i.2xlarge\"\nmin_size = 2\n")),
        (
            "nodes for ClickHouse that are too slow",
            format!("{}{EDGE}[clickhouse]\ninstance_type = \"m7i.4xlarge\"\n", MINIMAL.replace("dev", "prod")),
        ),
        ("replicas of ClickHouse without zones", with("[clickhouse]\nmode = \"replicated\"\ninstance_type = \"m6in.4xlarge\"\n")),
        ("replicas of ClickHouse in two zones", with(
            "[network]\nzone_count = 2\n[clickhouse]\nmode = \"replicated\"\ninstance_type = \"m6in.4xlarge\"\n",
        )),
        ("replicas of ClickHouse in two subnets", with(
            "[clickhouse]\nmode = \"replicated\"\ninstance_type = \"m6in.4xlarge\"\n[network]\nvpc_id = \"vpc-0a1b2c3d\"\npublic_subnet_ids = [\"subnet-00000001\", \"subnet-00000002\"]\nprivate_subnet_ids = [\"subnet-00000003\", \"subnet-00000004\"]\n",
        )),
        ("a version of Redis that there is not", with("[redis]\nversion = \"5.0\"\n")),
        ("classes that are none", with("[postgres]\ninstance_class = \"m7g.large\"\n[redis]\nnode_type = \"db.m7g.large\"\n")),
        ("storage that would shrink", with("[postgres]\nstorage_gib = 200\n")),
        ("an administrator and an issuer that are none", with(
            "[edge]\nhostname = \"langsmith.example.com\"\n[auth]\nmode = \"oidc\"\nadmin_email = \"ada\"\nissuer_url = \"http://login.example.com\"\n",
        )),
        ("an issuer without its mode", with("[auth]\nissuer_url = \"https://login.example.com\"\n")),
        ("an identity provider without a host name", with(
            "[auth]\nmode = \"oidc\"\nissuer_url = \"https://login.example.com\"\n",
        )),
        ("an identity provider without an issuer", with(&format!("{EDGE}mode = \"oidc\"\n"))),
        ("a client secret in the file", with("[auth]\nclient_secret = \"hush\"\n")),
        ("an address that is none", with("[alarms]\nemails = [\"oncall\"]\n")),
        ("a list of tables instead of a table", with("[[blobs]]\nversioning = true\n")),
        ("wrong types", "profile = 1\naccount = 111122223333\nregion = [\"us-west-2\"]\nprotect = \"yes\"\n".to_owned()),
        ("an unknown profile", MINIMAL.replace("\"dev\"", "\"production\"")),
        ("a slip in the profile", MINIMAL.replace("\"dev\"", "\"dve\"")),
        ("an account with too few digits", MINIMAL.replace("111122223333", "11112222333")),
        ("a slip in the region", MINIMAL.replace("us-west-2", "us-wst-2")),
        ("a zone as region", MINIMAL.replace("us-west-2", "us-west-2a")),
        ("no region", MINIMAL.replace("us-west-2", "Oregon")),
        ("a stack's name that is too long", with("stack = \"langsmith-of-the-platform-team\"\n")),
        ("a stack's name with bad characters", with("stack = \"Lang_Smith\"\n")),
        ("a stack's name that AWS reserves", with("stack = \"sg\"\n")),
        ("a tag's type", with("[tags]\nowner = 7\n")),
        ("reserved tags", with("[tags]\n\"aws:owner\" = \"x\"\n\"lsinfra:urn\" = \"x\"\nName = \"x\"\n")),
        ("tags that differ in case", with("[tags]\nowner = \"x\"\nOwner = \"y\"\n")),
        ("characters in tags", with("[tags]\n\"a#b\" = \"x\"\nb = \"x;y\"\n\"\" = \"z\"\n")),
        ("a tag's length", with(&format!("[tags]\n{} = \"{}\"\n", "k".repeat(129), "v".repeat(257)))),
        ("too many tags", with(&format!("[tags]\n{many_tags}"))),
        ("a range that is none", network("cidr = \"10.0.0.0\"")),
        ("an IPv6 range", network("cidr = \"fd00::/16\"")),
        ("host bits", network("cidr = \"10.0.1.0/16\"")),
        ("a public range", network("cidr = \"11.0.0.0/16\"")),
        ("a range around a private one", network("cidr = \"172.0.0.0/8\"")),
        ("a range that is too large", network("cidr = \"10.0.0.0/15\"")),
        ("a range that is too small", network("cidr = \"10.0.0.0/29\"")),
        ("too few zones", network("zone_count = 1")),
        ("too few zones for prod", network("zone_count = 2").replace("dev", "prod")),
        ("too many zones", network("zone_count = 7")),
        ("a fraction of a zone", network("zone_count = 2.5")),
        ("one named zone", network("zones = [\"us-west-2a\"]")),
        ("zones of another region", network("zones = [\"us-west-2a\", \"us-east-1b\", \"us-west-2-lax-1a\"]")),
        ("a zone twice", network("zones = [\"us-west-2a\", \"us-west-2a\"]")),
        ("zones of a wrong type", network("zones = [\"us-west-2a\", 2, 3]")),
        ("zones counted and named", network("zones = [\"us-west-2a\", \"us-west-2b\"]\nzone_count = 2")),
        ("a subnet's prefix that is too long", network("public_prefix_length = 28\nprivate_prefix_length = 27")),
        ("a subnet's prefix that is too short", network("private_prefix_length = 8")),
        ("more subnets than fit", network("cidr = \"10.0.0.0/19\"")),
        ("more zones than fit", network("zone_count = 6\nprivate_prefix_length = 18")),
        ("listed subnets that overlap", network(
            "private_subnets = [\"10.0.0.0/20\", \"10.0.8.0/21\"]\npublic_subnets = [\"10.0.32.0/24\", \"10.0.0.0/24\"]",
        )),
        ("a listed subnet outside of the network", network("public_subnets = [\"10.0.32.0/24\", \"10.1.0.0/24\"]")),
        ("too few listed subnets", network("public_subnets = [\"10.0.32.0/24\"]")),
        ("bad listed subnets", network("public_subnets = [\"10.0.32.1/24\", \"10.0.33.0/28\"]")),
        ("listed subnets of a bad size", network("public_subnets = [\"10.0.32.0/28\", \"10.0.33.0/24\"]")),
        ("subnets sized and listed", network(
            "public_subnets = [\"10.0.32.0/24\", \"10.0.33.0/24\"]\npublic_prefix_length = 24",
        )),
        ("a network that is made and is there", network(
            "vpc_id = \"vpc-0a1b2c3d\"\ncidr = \"10.0.0.0/16\"\nnat = \"single\"\npublic_subnet_ids = [\"subnet-00000001\", \"subnet-00000002\"]\nprivate_subnet_ids = [\"subnet-00000003\", \"subnet-00000004\"]",
        )),
        ("subnets of no VPC", network("private_subnet_ids = [\"subnet-00000003\", \"subnet-00000004\"]")),
        ("ids that are none", network(
            "vpc_id = \"0a1b2c3d\"\npublic_subnet_ids = [\"subnet-1\", \"subnet-00000002\"]\nprivate_subnet_ids = [\"vpc-00000003\", \"subnet-0000000G\"]",
        )),
        ("a subnet for two purposes", network(
            "vpc_id = \"vpc-0a1b2c3d\"\npublic_subnet_ids = [\"subnet-00000001\", \"subnet-00000001\"]\nprivate_subnet_ids = [\"subnet-00000001\", \"subnet-00000002\"]",
        )),
        ("subnets in too few zones", network(
            "vpc_id = \"vpc-0a1b2c3d\"\npublic_subnet_ids = [\"subnet-00000001\", \"subnet-00000002\"]\nprivate_subnet_ids = [\"subnet-00000003\"]",
        ).replace("dev", "prod")),
        ("a slip in a choice", network("nat = \"per_zone\"")),
        ("retention out of bounds", with("[retention]\nshort_lived_days = 0\nlong_lived_days = 9999\n")),
        ("retention the wrong way round", with("[retention]\nshort_lived_days = 30\nlong_lived_days = 14\n")),
        ("retention beyond the default", with("[retention]\nshort_lived_days = 500\n")),
        ("bucket settings", with("[blobs]\nversioning = 1\nabort_multipart_days = -1\non_destroy = \"retain\"\n")),
        ("a public load balancer without a certificate", with("[edge]\nexposure = \"public\"\n")),
        ("limits of requests", with("[edge]\nmax_body_size_mebibytes = 0\nrequest_timeout_seconds = 4000\n")),
        ("a place of a ClickHouse in the cluster", with("[clickhouse]\nhost = \"clickhouse.example.com\"\ntls = true\n")),
        ("a ClickHouse elsewhere without a place", with("[clickhouse]\nmode = \"external\"\n")),
        ("a ClickHouse elsewhere with bad names", with(
            "[clickhouse]\nmode = \"external\"\nhost = \"https://clickhouse\"\nuser = \"a b\"\nnative_port = 0\n",
        )),
        ("a slip in the delivery of secrets", with("[secrets]\ndelivery = \"external-secret\"\n")),
        ("replicas the wrong way round", with("[replicas]\nbackend = { min = 3, max = 2 }\nqueue = { min = 0, max = 2 }\n")),
        ("replicas of bad forms", with("[replicas]\nbackend = 3\nqueue = { min = 1 }\nfrontend = { min = 1, max = 2, step = 1 }\n")),
        ("ranges of chart versions", with("[charts]\nlangsmith = \"~0.16.0\"\nexternal_secrets = \"2.9\"\n")),
        ("a file of values that is not there", with("[langsmith]\nvalues_file = \"of-nobody.yaml\"\n")),
        ("several problems", "region = \"us-west-2\"\nacount = \"111122223333\"\n[network]\ncidr = \"10.0.0.1/16\"\nzone_count = 1\nnat = \"none\"\n".to_owned()),
    ]
}

#[test]
fn bad_configs_are_refused_with_place_and_help() {
    let mut shown = String::new();
    for (name, text) in bad_configs() {
        writeln!(shown, "# {name}\n{}", problems(&text)).unwrap();
    }
    insta::assert_snapshot!("bad_configs", shown);
}

#[test]
fn the_file_name_is_the_environment() {
    let name = |file: &str| Config::parse(Path::new(file), MINIMAL).map(|config| config.environment);
    assert_eq!(name("staging-2.toml").unwrap(), "staging-2");
    for bad in ["environments/Prod.toml", "a_b.toml", "2nd.toml", "this-name-is-too-long.toml", "a--b.toml"] {
        let message = name(bad).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{bad}:1:1: the file's name gives")), "{message}");
    }
}

#[test]
fn columns_count_characters() {
    let text = format!("{MINIMAL}[tags]\n\"größe\" = \"ü;\"\r\n");
    let Err(ConfigError::Invalid(invalid)) = parse(&text) else { panic!("accepted") };
    let problem = &invalid.problems[0];
    assert_eq!((problem.line, problem.column, problem.width_characters), (5, 11, 4));
    assert_eq!(problem.source_line, "\"größe\" = \"ü;\"");
}

#[test]
fn a_missing_file_is_named() {
    let file = Path::new("environments/of-nobody.toml");
    let message = Config::load(file).unwrap_err().to_string();
    assert!(message.starts_with("cannot read environments/of-nobody.toml: "), "{message}");
}

#[test]
fn new_regions_of_the_usual_form_are_accepted() {
    for region in ["us-west-2", "eu-south-3", "us-gov-east-1", "eusc-de-east-1", "ap-southeast-12"] {
        assert_eq!(Region::new(region).unwrap().as_str(), region);
    }
    for region in
        ["", "us-west", "us-west-0", "us-west-02", "west-2", "us--west-2", "US-west-2", "us-west-2a"]
    {
        assert_eq!(Region::new(region), None, "{region}");
    }
}

/// Rows of the manual: key, value, default of dev, default of prod.
fn documented() -> Vec<[String; 4]> {
    include_str!("../../../docs/configuration.md")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            [cells[0].trim_matches('`'), cells[1], cells[2], cells[3]].map(str::to_owned)
        })
        .collect()
}

#[test]
fn the_manual_lists_every_key_with_its_unit_and_defaults() {
    let default = |profile: Profile, path: &str| {
        let defaults = profile.defaults();
        let item = match path.split_once('.') {
            None => defaults.get(path),
            Some((table, key)) => defaults.get(table).and_then(|table| table.get(key)),
        };
        match item.and_then(toml_edit::Item::as_value) {
            Some(value) => format!("`{}`", value.to_string().trim()),
            None => "none".to_owned(),
        }
    };
    let expected: Vec<[String; 4]> = KEYS
        .iter()
        .map(|key| {
            [
                key.path.to_owned(),
                key.value.to_owned(),
                default(Profile::Dev, key.path),
                default(Profile::Prod, key.path),
            ]
        })
        .collect();
    assert_eq!(documented(), expected);
}

#[test]
fn every_default_is_a_key() {
    let known: BTreeSet<&str> = KEYS.iter().map(|key| key.path).collect();
    for profile in [Profile::Dev, Profile::Prod] {
        let document: toml_edit::DocumentMut = profile.defaults_toml().parse().unwrap();
        for (name, item) in document.iter() {
            match item.as_table() {
                Some(table) if name != "tags" => {
                    for (key, _) in table {
                        assert!(known.contains(format!("{name}.{key}").as_str()), "{name}.{key}");
                    }
                }
                _ => assert!(known.contains(name), "{name}"),
            }
        }
    }
}

#[test]
fn the_usual_zone_of_a_host_name_is_the_one_above_it() {
    for (hostname, zone) in [
        ("langsmith.example.com", "example.com"),
        ("langsmith.eu.example.com", "eu.example.com"),
        ("example.com", "example.com"),
    ] {
        let edge = EdgeConfig { hostname: hostname.to_owned(), zone: Zone::Existing };
        assert_eq!(edge.usual_zone(), zone);
    }
}

#[test]
fn values_are_read_beside_the_config_file_and_must_be_a_map_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let parse = |values: &str| {
        std::fs::write(folder.join("values.yaml"), values).unwrap();
        let text = format!("{MINIMAL}[langsmith]\nvalues_file = \"values.yaml\"\n");
        Config::parse(&folder.join("dev.toml"), &text)
    };
    let read = |values: &str| parse(values).unwrap().langsmith.values.unwrap().values;
    let expected = serde_json::json!({"backend": {"deployment": {"replicas": 3}}, "list": ["a", 1.5, null]});
    assert_eq!(read("# mine\nbackend:\n  deployment: {replicas: 3}\nlist: [a, 1.5, null]\n"), expected);
    assert_eq!(read(&expected.to_string()), expected);
    assert_eq!(read(""), serde_json::json!({}));
    for (values, problem) in [
        ("- a\n", "holds no map of values"),
        ("a: [\n", "is no YAML"),
        ("config: {apiKeySalt: hunter2}\n", "`config.apiKeySalt` is a secret"),
    ] {
        let message = parse(values).unwrap_err().to_string();
        assert!(message.contains(problem) && !message.contains("hunter2"), "{message}");
    }
}
