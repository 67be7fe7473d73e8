//! Quantities, such as `500m` and `1Gi`, which a cluster writes in its own way.
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

use serde_json::Value as Json;

/// Whether the members of a field of this name are quantities.
pub(super) fn is_map_of_quantities(name: &str) -> bool {
    matches!(name, "requests" | "limits" | "capacity" | "hard" | "default" | "defaultRequest" | "min" | "max")
}

/// Whether both are the same quantity, however written.
pub(super) fn are_equal(one: &Json, other: &Json) -> bool {
    match (of(one), of(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// A quantity in billionths.
fn of(value: &Json) -> Option<i128> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let end = text.find(|one: char| !one.is_ascii_digit() && !"+-.".contains(one)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.len() > 9 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let billionths = digits.checked_mul(10_i128.pow(9 - u32::try_from(fraction.len()).ok()?))?;
    let (times, parts) = factor(suffix)?;
    Some(billionths.checked_mul(times)? / parts)
}

/// What a suffix multiplies with, and divides by.
fn factor(suffix: &str) -> Option<(i128, i128)> {
    let binary = |power: u32| Some((1024_i128.pow(power), 1));
    let decimal = |power: u32| Some((10_i128.pow(power), 1));
    match suffix {
        "" => decimal(0),
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => {
            let power: u32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (power <= 18).then(|| (10_i128.pow(power), 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_amount_is_equal() {
        for (one, other) in [
            (json!("1000m"), json!(1)),
            (json!("0.5"), json!("500m")),
            (json!("1Gi"), json!("1024Mi")),
            (json!("1e3"), json!("1k")),
            (json!(2), json!("2")),
        ] {
            assert!(are_equal(&one, &other), "{one} {other}");
        }
        for (one, other) in [(json!("1G"), json!("1Gi")), (json!("x"), json!("x")), (json!(true), json!(1))] {
            assert!(!are_equal(&one, &other), "{one} {other}");
        }
    }
}
