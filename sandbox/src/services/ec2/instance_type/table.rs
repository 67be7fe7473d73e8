//! The instance types that the sandbox has, with AWS's figures: the answer of `DescribeInstanceTypes` as published with
//! moto 5.2.5.

/// One instance type.
#[derive(Debug, Clone, Copy)]
pub(super) struct InstanceType {
    pub(super) name: &'static str,
    pub(super) vcpus: i32,
    pub(super) memory_mib: i64,
    pub(super) ebs_baseline_mbps: i32,
    pub(super) ebs_maximum_mbps: i32,
    pub(super) network_interfaces: i32,
    pub(super) ipv4_addresses_per_interface: i32,
}

impl InstanceType {
    /// The part of its name before the dot.
    pub(super) fn family(self) -> &'static str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// Its processor's architecture: Graviton families have a `g` after their generation.
    /// <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>
    pub(super) fn architecture(self) -> &'static str {
        let options = self.family().trim_start_matches(|letter: char| letter.is_ascii_lowercase());
        let options = options.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if options.starts_with('g') { "arm64" } else { "x86_64" }
    }

    /// Whether it is paid for by credits.
    pub(super) fn is_burstable(self) -> bool {
        self.name.starts_with('t')
    }
}

/// Every instance type.
pub(super) fn all() -> impl Iterator<Item = InstanceType> {
    ROWS.iter().map(
        |(name, vcpus, memory_mib, ebs_baseline_mbps, ebs_maximum_mbps, interfaces, addresses)| {
            InstanceType {
                name,
                vcpus: *vcpus,
                memory_mib: *memory_mib,
                ebs_baseline_mbps: *ebs_baseline_mbps,
                ebs_maximum_mbps: *ebs_maximum_mbps,
                network_interfaces: *interfaces,
                ipv4_addresses_per_interface: *addresses,
            }
        },
    )
}

/// Name, vCPUs, memory in MiB, bandwidth to volumes in Mbit/s (always, at most), network interfaces, addresses of each.
type Row = (&'static str, i32, i64, i32, i32, i32, i32);

const ROWS: &[Row] = &[
    ("c6i.xlarge", 4, 8_192, 1_250, 10_000, 4, 15),
    ("c6i.2xlarge", 8, 16_384, 2_500, 10_000, 4, 15),
    ("c6i.4xlarge", 16, 32_768, 5_000, 10_000, 8, 30),
    ("c6i.8xlarge", 32, 65_536, 10_000, 10_000, 8, 30),
    ("c6i.12xlarge", 48, 98_304, 15_000, 15_000, 8, 30),
    ("c6i.16xlarge", 64, 131_072, 20_000, 20_000, 15, 50),
    ("c7i.xlarge", 4, 8_192, 1_250, 10_000, 4, 15),
    ("c7i.2xlarge", 8, 16_384, 2_500, 10_000, 4, 15),
    ("c7i.4xlarge", 16, 32_768, 5_000, 10_000, 8, 30),
    ("c7i.8xlarge", 32, 65_536, 10_000, 10_000, 8, 30),
    ("c7i.12xlarge", 48, 98_304, 15_000, 15_000, 8, 30),
    ("c7i.16xlarge", 64, 131_072, 20_000, 20_000, 15, 50),
    ("m5.large", 2, 8_192, 650, 4_750, 3, 10),
    ("m5.xlarge", 4, 16_384, 1_150, 4_750, 4, 15),
    ("m5.2xlarge", 8, 32_768, 2_300, 4_750, 4, 15),
    ("m5.4xlarge", 16, 65_536, 4_750, 4_750, 8, 30),
    ("m5.8xlarge", 32, 131_072, 6_800, 6_800, 8, 30),
    ("m5.12xlarge", 48, 196_608, 9_500, 9_500, 8, 30),
    ("m5.16xlarge", 64, 262_144, 13_600, 13_600, 15, 50),
    ("m5a.xlarge", 4, 16_384, 1_085, 2_880, 4, 15),
    ("m5a.2xlarge", 8, 32_768, 1_580, 2_880, 4, 15),
    ("m5a.4xlarge", 16, 65_536, 2_880, 2_880, 8, 30),
    ("m5a.8xlarge", 32, 131_072, 4_750, 4_750, 8, 30),
    ("m5a.12xlarge", 48, 196_608, 6_780, 6_780, 8, 30),
    ("m5a.16xlarge", 64, 262_144, 9_500, 9_500, 15, 50),
    ("m5n.xlarge", 4, 16_384, 1_150, 4_750, 4, 15),
    ("m5n.2xlarge", 8, 32_768, 2_300, 4_750, 4, 15),
    ("m5n.4xlarge", 16, 65_536, 4_750, 4_750, 8, 30),
    ("m5n.8xlarge", 32, 131_072, 6_800, 6_800, 8, 30),
    ("m5n.12xlarge", 48, 196_608, 9_500, 9_500, 8, 30),
    ("m5n.16xlarge", 64, 262_144, 13_600, 13_600, 15, 50),
    ("m6a.xlarge", 4, 16_384, 1_250, 10_000, 4, 15),
    ("m6a.2xlarge", 8, 32_768, 2_500, 10_000, 4, 15),
    ("m6a.4xlarge", 16, 65_536, 5_000, 10_000, 8, 30),
    ("m6a.8xlarge", 32, 131_072, 10_000, 10_000, 8, 30),
    ("m6a.12xlarge", 48, 196_608, 15_000, 15_000, 8, 30),
    ("m6a.16xlarge", 64, 262_144, 20_000, 20_000, 15, 50),
    ("m6i.large", 2, 8_192, 650, 10_000, 3, 10),
    ("m6i.xlarge", 4, 16_384, 1_250, 10_000, 4, 15),
    ("m6i.2xlarge", 8, 32_768, 2_500, 10_000, 4, 15),
    ("m6i.4xlarge", 16, 65_536, 5_000, 10_000, 8, 30),
    ("m6i.8xlarge", 32, 131_072, 10_000, 10_000, 8, 30),
    ("m6i.12xlarge", 48, 196_608, 15_000, 15_000, 8, 30),
    ("m6i.16xlarge", 64, 262_144, 20_000, 20_000, 15, 50),
    ("m6idn.xlarge", 4, 16_384, 3_125, 25_000, 4, 15),
    ("m6idn.2xlarge", 8, 32_768, 6_250, 25_000, 4, 15),
    ("m6idn.4xlarge", 16, 65_536, 12_500, 25_000, 8, 30),
    ("m6idn.8xlarge", 32, 131_072, 25_000, 25_000, 8, 30),
    ("m6idn.12xlarge", 48, 196_608, 37_500, 37_500, 8, 30),
    ("m6idn.16xlarge", 64, 262_144, 50_000, 50_000, 15, 50),
    ("m6in.xlarge", 4, 16_384, 3_125, 25_000, 4, 15),
    ("m6in.2xlarge", 8, 32_768, 6_250, 25_000, 4, 15),
    ("m6in.4xlarge", 16, 65_536, 12_500, 25_000, 8, 30),
    ("m6in.8xlarge", 32, 131_072, 25_000, 25_000, 8, 30),
    ("m6in.12xlarge", 48, 196_608, 37_500, 37_500, 8, 30),
    ("m6in.16xlarge", 64, 262_144, 50_000, 50_000, 15, 50),
    ("m7a.xlarge", 4, 16_384, 1_250, 10_000, 4, 15),
    ("m7a.2xlarge", 8, 32_768, 2_500, 10_000, 4, 15),
    ("m7a.4xlarge", 16, 65_536, 5_000, 10_000, 8, 30),
    ("m7a.8xlarge", 32, 131_072, 10_000, 10_000, 8, 30),
    ("m7a.12xlarge", 48, 196_608, 15_000, 15_000, 8, 30),
    ("m7a.16xlarge", 64, 262_144, 20_000, 20_000, 15, 50),
    ("m7g.large", 2, 8_192, 630, 10_000, 3, 10),
    ("m7g.xlarge", 4, 16_384, 1_250, 10_000, 4, 15),
    ("m7g.2xlarge", 8, 32_768, 2_500, 10_000, 4, 15),
    ("m7g.4xlarge", 16, 65_536, 5_000, 10_000, 8, 30),
    ("m7i.large", 2, 8_192, 650, 10_000, 3, 10),
    ("m7i.xlarge", 4, 16_384, 1_250, 10_000, 4, 15),
    ("m7i.2xlarge", 8, 32_768, 2_500, 10_000, 4, 15),
    ("m7i.4xlarge", 16, 65_536, 5_000, 10_000, 8, 30),
    ("m7i.8xlarge", 32, 131_072, 10_000, 10_000, 8, 30),
    ("m7i.12xlarge", 48, 196_608, 15_000, 15_000, 8, 30),
    ("m7i.16xlarge", 64, 262_144, 20_000, 20_000, 15, 50),
    ("m8i.xlarge", 4, 16_384, 1_250, 10_000, 4, 30),
    ("m8i.2xlarge", 8, 32_768, 2_500, 10_000, 4, 30),
    ("m8i.4xlarge", 16, 65_536, 5_000, 10_000, 8, 50),
    ("m8i.8xlarge", 32, 131_072, 10_000, 10_000, 10, 50),
    ("m8i.12xlarge", 48, 196_608, 15_000, 15_000, 12, 50),
    ("m8i.16xlarge", 64, 262_144, 20_000, 20_000, 16, 64),
    ("r5.xlarge", 4, 32_768, 1_150, 4_750, 4, 15),
    ("r5.2xlarge", 8, 65_536, 2_300, 4_750, 4, 15),
    ("r5.4xlarge", 16, 131_072, 4_750, 4_750, 8, 30),
    ("r5.8xlarge", 32, 262_144, 6_800, 6_800, 8, 30),
    ("r5.12xlarge", 48, 393_216, 9_500, 9_500, 8, 30),
    ("r5.16xlarge", 64, 524_288, 13_600, 13_600, 15, 50),
    ("r5b.xlarge", 4, 32_768, 2_500, 10_000, 4, 15),
    ("r5b.2xlarge", 8, 65_536, 5_000, 10_000, 4, 15),
    ("r5b.4xlarge", 16, 131_072, 10_000, 10_000, 8, 30),
    ("r5b.8xlarge", 32, 262_144, 20_000, 20_000, 8, 30),
    ("r5b.12xlarge", 48, 393_216, 30_000, 30_000, 8, 30),
    ("r5b.16xlarge", 64, 524_288, 40_000, 40_000, 15, 50),
    ("r5n.xlarge", 4, 32_768, 1_150, 4_750, 4, 15),
    ("r5n.2xlarge", 8, 65_536, 2_300, 4_750, 4, 15),
    ("r5n.4xlarge", 16, 131_072, 4_750, 4_750, 8, 30),
    ("r5n.8xlarge", 32, 262_144, 6_800, 6_800, 8, 30),
    ("r5n.12xlarge", 48, 393_216, 9_500, 9_500, 8, 30),
    ("r5n.16xlarge", 64, 524_288, 13_600, 13_600, 15, 50),
    ("r6a.xlarge", 4, 32_768, 1_250, 10_000, 4, 15),
    ("r6a.2xlarge", 8, 65_536, 2_500, 10_000, 4, 15),
    ("r6a.4xlarge", 16, 131_072, 5_000, 10_000, 8, 30),
    ("r6a.8xlarge", 32, 262_144, 10_000, 10_000, 8, 30),
    ("r6a.12xlarge", 48, 393_216, 15_000, 15_000, 8, 30),
    ("r6a.16xlarge", 64, 524_288, 20_000, 20_000, 15, 50),
    ("r6i.xlarge", 4, 32_768, 1_250, 10_000, 4, 15),
    ("r6i.2xlarge", 8, 65_536, 2_500, 10_000, 4, 15),
    ("r6i.4xlarge", 16, 131_072, 5_000, 10_000, 8, 30),
    ("r6i.8xlarge", 32, 262_144, 10_000, 10_000, 8, 30),
    ("r6i.12xlarge", 48, 393_216, 15_000, 15_000, 8, 30),
    ("r6i.16xlarge", 64, 524_288, 20_000, 20_000, 15, 50),
    ("r6in.xlarge", 4, 32_768, 3_125, 25_000, 4, 15),
    ("r6in.2xlarge", 8, 65_536, 6_250, 25_000, 4, 15),
    ("r6in.4xlarge", 16, 131_072, 12_500, 25_000, 8, 30),
    ("r6in.8xlarge", 32, 262_144, 25_000, 25_000, 8, 30),
    ("r6in.12xlarge", 48, 393_216, 37_500, 37_500, 8, 30),
    ("r6in.16xlarge", 64, 524_288, 50_000, 50_000, 15, 50),
    ("r7a.xlarge", 4, 32_768, 1_250, 10_000, 4, 15),
    ("r7a.2xlarge", 8, 65_536, 2_500, 10_000, 4, 15),
    ("r7a.4xlarge", 16, 131_072, 5_000, 10_000, 8, 30),
    ("r7a.8xlarge", 32, 262_144, 10_000, 10_000, 8, 30),
    ("r7a.12xlarge", 48, 393_216, 15_000, 15_000, 8, 30),
    ("r7a.16xlarge", 64, 524_288, 20_000, 20_000, 15, 50),
    ("r7i.xlarge", 4, 32_768, 1_250, 10_000, 4, 15),
    ("r7i.2xlarge", 8, 65_536, 2_500, 10_000, 4, 15),
    ("r7i.4xlarge", 16, 131_072, 5_000, 10_000, 8, 30),
    ("r7i.8xlarge", 32, 262_144, 10_000, 10_000, 8, 30),
    ("r7i.12xlarge", 48, 393_216, 15_000, 15_000, 8, 30),
    ("r7i.16xlarge", 64, 524_288, 20_000, 20_000, 15, 50),
    ("r8g.large", 2, 16_384, 630, 10_000, 3, 10),
    ("r8g.xlarge", 4, 32_768, 1_250, 10_000, 4, 15),
    ("r8g.2xlarge", 8, 65_536, 2_500, 10_000, 4, 15),
    ("r8g.4xlarge", 16, 131_072, 5_000, 10_000, 8, 30),
    ("r8i.xlarge", 4, 32_768, 1_250, 10_000, 4, 30),
    ("r8i.2xlarge", 8, 65_536, 2_500, 10_000, 4, 30),
    ("r8i.4xlarge", 16, 131_072, 5_000, 10_000, 8, 50),
    ("r8i.8xlarge", 32, 262_144, 10_000, 10_000, 10, 50),
    ("r8i.12xlarge", 48, 393_216, 15_000, 15_000, 12, 50),
    ("r8i.16xlarge", 64, 524_288, 20_000, 20_000, 16, 64),
    ("t3.micro", 2, 1_024, 87, 2_085, 2, 2),
    ("t3.small", 2, 2_048, 174, 2_085, 3, 4),
    ("t3.medium", 2, 4_096, 347, 2_085, 3, 6),
    ("t3.large", 2, 8_192, 695, 2_780, 3, 12),
    ("t3.xlarge", 4, 16_384, 695, 2_780, 4, 15),
    ("t3.2xlarge", 8, 32_768, 695, 2_780, 4, 15),
];
