//! Quantities as Kubernetes writes them: `500m`, `1.5Gi`, `20G`.
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

/// Suffixes, and how many thousandths each stands for.
const UNITS: &[(&str, u128)] = &[
    ("Ki", 1_000 << 10),
    ("Mi", 1_000 << 20),
    ("Gi", 1_000 << 30),
    ("Ti", 1_000 << 40),
    ("Pi", 1_000 << 50),
    ("m", 1),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
];

/// A quantity in thousandths, rounded up; `None` for what is none, or is in powers of ten.
pub(super) fn thousandths(text: &str) -> Option<u128> {
    let unit = UNITS.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)));
    let (digits, unit) = unit.unwrap_or((text, 1_000));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let number: u128 = format!("{whole}{part}").parse().ok()?;
    Some(number.checked_mul(unit)?.div_ceil(scale))
}

/// A quantity in whole units, rounded up.
pub(super) fn units(text: &str) -> Option<u128> {
    Some(thousandths(text)?.div_ceil(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read() {
        for (text, expected) in [
            ("250m", Some(250)),
            ("1", Some(1_000)),
            ("0.1", Some(100)),
            ("1.5Ki", Some(1_536_000)),
            ("2G", Some(2_000_000_000_000)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(thousandths(text), expected, "{text}");
        }
        assert_eq!(units("1500m"), Some(2));
    }
}
