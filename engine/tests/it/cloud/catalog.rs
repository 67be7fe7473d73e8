//! The resource types of the simulated cloud: one for each way in which a service can be awkward.

use std::time::Duration;

use lsinfra_engine::schema::{Compare, Durations, InputField, Kind, OutputField, Schema};

/// How the cloud tells one object of a type from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The creating call takes a client token.
    Token,
    /// The object's name is its id, and unique.
    Name,
    /// By nothing but the tags it carries.
    Tags,
    /// There is one place for it, and one object in that place.
    Slot,
}

/// One type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimulatedType {
    pub(crate) schema: Schema,
    pub(crate) naming: Naming,
    /// Whether `settings` need calls of their own after the creating one.
    pub(crate) settings_apart: bool,
}

const WINDOW: Duration = Duration::from_secs(30);

const fn replacing(name: &'static str) -> InputField {
    InputField { replace: true, ..InputField::new(name) }
}

const fn physical_name() -> InputField {
    InputField { required: true, replace: true, name_limit_characters: Some(16), ..InputField::new("name") }
}

const IDENTITY: InputField = replacing("identity");
const LABEL: InputField = InputField::new("label");
const TAGS: InputField = InputField::new("tags");
const SETTINGS: InputField = InputField::new("settings");
/// Objects that must outlive this one; fixed at creation.
const PARENTS: InputField = replacing("parents");
/// Objects that must outlive this one or be taken off its list first.
const GROUPS: InputField = InputField { compare: Compare::Set, ..InputField::new("groups") };
/// Text from other objects that the cloud does not look at.
const LINKS: InputField = InputField::new("links");
const DESCRIPTION: InputField =
    InputField { compare: Compare::CaseInsensitive, ..InputField::new("description") };
const WINDOW_OF_DAY: InputField = InputField { computed: true, ..InputField::new("window") };
const PASSWORD: InputField = InputField::new("password");
const CONTAINER: InputField = replacing("container");

const ID: OutputField = OutputField::new("id");
const ADDRESS: OutputField = OutputField::new("address");
const ARN: OutputField = OutputField::new("arn");
const ENDPOINT: OutputField = OutputField { volatile: true, ..OutputField::new("endpoint") };

const BASE: Schema = Schema {
    resource_type: "",
    version: 1,
    kind: Kind::Managed,
    inputs: &[],
    outputs: &[],
    singleton: false,
    service: "net",
    service_parallelism: 16,
    client_token: false,
    consistency_window: WINDOW,
    durations: Durations::seconds(3, 2, 3),
};

/// Takes a client token.
pub(crate) const NETWORK: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:net:Network",
        inputs: &[IDENTITY, LABEL, TAGS, PARENTS, LINKS],
        outputs: &[ID, ADDRESS],
        client_token: true,
        ..BASE
    },
    naming: Naming::Token,
    settings_apart: false,
};

/// Known by its tags alone; slow; its groups can be changed in place.
pub(crate) const GATEWAY: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:net:Gateway",
        inputs: &[IDENTITY, LABEL, TAGS, PARENTS, GROUPS, LINKS],
        outputs: &[ID, ADDRESS],
        durations: Durations::seconds(90, 5, 45),
        ..BASE
    },
    naming: Naming::Tags,
    settings_apart: false,
};

/// Known by its name; all outputs can be told before it exists.
pub(crate) const ROLE: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:iam:Role",
        service: "iam",
        service_parallelism: 4,
        inputs: &[physical_name(), IDENTITY, LABEL, DESCRIPTION, LINKS],
        outputs: &[ID, ARN],
        ..BASE
    },
    naming: Naming::Name,
    settings_apart: false,
};

/// Very slow, completed by further calls, and its endpoint changes with its label.
pub(crate) const CLUSTER: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:eks:Cluster",
        service: "eks",
        inputs: &[IDENTITY, LABEL, SETTINGS, PARENTS, GROUPS],
        outputs: &[ID, ENDPOINT],
        client_token: true,
        durations: Durations::seconds(600, 300, 200),
        ..BASE
    },
    naming: Naming::Token,
    settings_apart: true,
};

/// Known by its name, with a secret, and with a window that the cloud chooses.
pub(crate) const DATABASE: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:db:Database",
        service: "db",
        inputs: &[physical_name(), IDENTITY, LABEL, SETTINGS, WINDOW_OF_DAY, PASSWORD, PARENTS],
        outputs: &[ID, ADDRESS],
        durations: Durations::seconds(400, 60, 300),
        ..BASE
    },
    naming: Naming::Name,
    settings_apart: true,
};

/// There is one place for it, so that a replacement deletes first.
pub(crate) const ATTACHMENT: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:net:Attachment",
        inputs: &[replacing("slot"), IDENTITY, LABEL, PARENTS],
        outputs: &[ID],
        singleton: true,
        ..BASE
    },
    naming: Naming::Slot,
    settings_apart: false,
};

/// Lives in a container, does not hold it back, and is deleted with it.
pub(crate) const ENTRY: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:net:Entry",
        inputs: &[CONTAINER, IDENTITY, LABEL, LINKS],
        outputs: &[ID],
        ..BASE
    },
    naming: Naming::Tags,
    settings_apart: false,
};

/// Looks up an answer of the cloud's.
pub(crate) const ZONE: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:world:Zone",
        service: "world",
        kind: Kind::Lookup,
        inputs: &[InputField::new("query"), LINKS],
        outputs: &[OutputField { volatile: true, ..OutputField::new("answer") }],
        durations: Durations::seconds(1, 1, 0),
        ..BASE
    },
    naming: Naming::Tags,
    settings_apart: false,
};

/// Checks a subject.
pub(crate) const CHECK: SimulatedType = SimulatedType {
    schema: Schema {
        resource_type: "sim:run:Check",
        service: "run",
        kind: Kind::Run,
        inputs: &[InputField::new("subject"), LINKS],
        outputs: &[OutputField { volatile: true, ..OutputField::new("evidence") }],
        durations: Durations::seconds(5, 5, 0),
        ..BASE
    },
    naming: Naming::Tags,
    settings_apart: false,
};

/// All types.
pub(crate) const CATALOG: [SimulatedType; 9] =
    [NETWORK, GATEWAY, ROLE, CLUSTER, DATABASE, ATTACHMENT, ENTRY, ZONE, CHECK];

impl SimulatedType {
    /// The type of that token.
    pub(crate) fn of(resource_type: &str) -> Self {
        CATALOG
            .into_iter()
            .find(|candidate| candidate.schema.resource_type == resource_type)
            .unwrap_or_else(|| panic!("there is no type {resource_type}"))
    }

    /// Whether it owns objects.
    pub(crate) fn is_managed(&self) -> bool {
        self.schema.kind == Kind::Managed
    }

    /// Whether it has that input.
    pub(crate) fn has_input(&self, name: &str) -> bool {
        self.schema.input(name).is_some()
    }
}
