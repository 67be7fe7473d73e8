//! The combinations of choices that are supported, and what the stack declares for each.

use std::collections::BTreeMap;
use std::path::Path;

use lsinfra_engine::output::Resolve;
use lsinfra_engine::{Declaration, Graph, Urn, Value, ValueError};
use lsinfra_stacks::config::Config;
use lsinfra_stacks::langsmith::{Layers, langsmith};

/// What is chosen, in the words of the config.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Combination {
    pub(crate) profile: &'static str,
    pub(crate) auth: &'static str,
    pub(crate) clickhouse: &'static str,
    pub(crate) delivery: &'static str,
    pub(crate) exposure: &'static str,
}

impl Combination {
    /// Every one of them.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for profile in ["dev", "prod"] {
            for auth in ["basic", "oidc"] {
                for clickhouse in ["single", "replicated", "external"] {
                    for delivery in ["external-secrets", "direct"] {
                        for exposure in ["public", "private"] {
                            all.push(Self { profile, auth, clickhouse, delivery, exposure });
                        }
                    }
                }
            }
        }
        all
    }

    /// Those between which the controllers differ.
    pub(crate) fn of_controllers() -> [Self; 2] {
        let exposure = "public";
        let (auth, delivery) = ("basic", "external-secrets");
        [("dev", "single"), ("prod", "replicated")].map(|(profile, clickhouse)| Self {
            profile,
            auth,
            clickhouse,
            delivery,
            exposure,
        })
    }

    pub(crate) fn name(&self) -> String {
        [self.profile, self.auth, self.clickhouse, self.delivery, self.exposure].join("_")
    }

    /// Whether LangSmith has a name, and with it a certificate: only a private one of dev can do without.
    pub(crate) fn has_name(&self) -> bool {
        self.profile == "prod" || self.exposure == "public" || self.auth == "oidc"
    }

    fn config(&self) -> Config {
        let mut text = format!(
            "profile = \"{}\"\naccount = \"111122223333\"\nregion = \"us-west-2\"\n[network]\nzone_count = 3\n\
             [retention]\nshort_lived_days = 10\nlong_lived_days = 100\n[secrets]\ndelivery = \"{}\"\n\
             [edge]\nexposure = \"{}\"\n",
            self.profile, self.delivery, self.exposure
        );
        if self.has_name() {
            text.push_str("hostname = \"langsmith.example.com\"\n");
        }
        text.push_str(&format!("[auth]\nadmin_email = \"ada@example.com\"\nmode = \"{}\"\n", self.auth));
        if self.auth == "oidc" {
            text.push_str("issuer_url = \"https://login.example.com\"\n");
        }
        text.push_str(&format!("[clickhouse]\nmode = \"{}\"\n", self.clickhouse));
        match self.clickhouse {
            "external" => text.push_str("host = \"clickhouse.example.com\"\ncluster = \"main\"\n"),
            "single" if self.profile == "dev" => {}
            _ => text.push_str("instance_type = \"m6in.4xlarge\"\n"),
        }
        Config::parse(Path::new("environments/charts.toml"), &text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What the stack declares.
    pub(crate) fn declared(&self) -> Declared {
        let config = self.config();
        Declared { graph: langsmith(&config, &Layers { kubernetes: true }).unwrap() }
    }
}

/// What the stack declares, with outputs as `URN.OUTPUT`.
pub(crate) struct Declared {
    graph: Graph,
}

struct Symbolic;

impl Resolve for Symbolic {
    fn output(&self, urn: &Urn, output: &str) -> Result<Value, ValueError> {
        // The keys of secrets are in their declarations; what they are is nobody's business here.
        Ok(match output {
            "secrets" => Value::Unknown,
            _ => Value::text(format!("{urn}.{output}")),
        })
    }

    fn fact(&self, _name: &str) -> Value {
        Value::Unknown
    }
}

impl Declared {
    /// The declarations of a type, by name, with their inputs.
    pub(crate) fn of_type(&self, resource_type: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
        let of_type = |declaration: &&Declaration| declaration.resource_type == resource_type;
        let inputs = |declaration: &Declaration| {
            let inputs = declaration.inputs.iter();
            inputs.map(|(name, input)| ((*name).to_owned(), input.evaluate(&Symbolic).unwrap())).collect()
        };
        let declared = self.graph.declarations().filter(of_type);
        declared.map(|declaration| (declaration.urn.name().to_owned(), inputs(declaration))).collect()
    }

    /// The values of a release, as JSON.
    pub(crate) fn values(&self, release: &str) -> serde_json::Value {
        self.of_type("helm:Release")[release]["values"].to_plain_json().unwrap()
    }

    /// The bodies of the external secrets.
    fn external_secrets(&self) -> Vec<serde_json::Value> {
        let manifests = self.of_type("kubernetes:meta:Manifest").into_values();
        let external = manifests.filter(|inputs| inputs["kind"] == Value::text("ExternalSecret"));
        external.map(|inputs| inputs["body"].to_plain_json().unwrap()).collect()
    }

    /// The keys of each secret that is brought into the cluster, by `NAME`.
    pub(crate) fn delivered(&self) -> BTreeMap<String, Vec<String>> {
        let mut delivered = BTreeMap::new();
        for object in self.external_secrets() {
            let data = object["spec"]["data"].as_array().unwrap();
            let keys = data.iter().map(|entry| entry["secretKey"].as_str().unwrap().to_owned()).collect();
            delivered.insert(object["spec"]["target"]["name"].as_str().unwrap().to_owned(), keys);
        }
        for (name, inputs) in self.of_type("kubernetes:core:Secret") {
            let keys = inputs["string_data"].as_map().unwrap().keys().cloned().collect();
            delivered.insert(name, keys);
        }
        delivered
    }

    /// The service accounts that each role lets take it on, as `NAMESPACE:NAME`.
    pub(crate) fn trusted(&self) -> BTreeMap<String, Vec<String>> {
        let mut trusted = BTreeMap::new();
        for (name, inputs) in self.of_type("aws:iam:Role") {
            let policy = inputs["assume_role_policy"].to_plain_json().unwrap().to_string();
            let parts = policy.split("system:serviceaccount:").skip(1);
            let accounts: Vec<String> = parts
                .filter_map(|part| Some(part.split_once('"')?.0.trim_end_matches('\\').to_owned()))
                .collect();
            if !accounts.is_empty() {
                trusted.insert(name, accounts);
            }
        }
        trusted
    }
}
