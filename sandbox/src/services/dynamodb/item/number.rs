//! Numbers as DynamoDB has them: decimal, exact to 38 digits, from 1E-130 to 9.99E+125, written back in plain digits.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The most significant digits.
const DIGITS: usize = 38;
/// The greatest power of ten of a first digit.
const GREATEST: i64 = 125;
/// The least power of ten of a first digit.
const LEAST: i64 = -130;

const OVERFLOW: &str =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
const UNDERFLOW: &str =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";
const TOO_PRECISE: &str = "Attempting to store more than 38 significant digits in a Number";

/// A number: `0.DIGITS` times ten to the power of `exponent`. The digits neither begin nor end with a zero, so that
/// equal numbers are equal values; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Number {
    is_negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Number {
    /// A count.
    pub(in crate::services::dynamodb) fn of(count: usize) -> Self {
        let digits = count.to_string().bytes().map(|digit| digit - b'0').collect();
        Self::normal(false, digits, 0)
    }

    /// Reads a number; an error is DynamoDB's text.
    pub(in crate::services::dynamodb) fn parse(text: &str) -> Result<Self, String> {
        let not_a_number = || match text {
            "" => "The parameter cannot be converted to a numeric value".to_owned(),
            _ => format!("The parameter cannot be converted to a numeric value: {text}"),
        };
        let (is_negative, rest) = signed(text);
        let (mantissa, power) = match rest.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power_of_ten(power).ok_or_else(not_a_number)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(not_a_number());
        }
        let digits = digits.into_iter().map(|digit| digit - b'0').collect();
        let number = Self::normal(is_negative, digits, power.saturating_sub(length(fraction.as_bytes())));
        if number.digits.len() > DIGITS {
            return Err(TOO_PRECISE.to_owned());
        }
        number.bounded()
    }

    /// The sum; an error is DynamoDB's text. What 38 digits cannot hold exactly is an overflow to DynamoDB, too.
    pub(in crate::services::dynamodb) fn plus(&self, other: &Self) -> Result<Self, String> {
        let lowest = self.lowest().min(other.lowest());
        let (one, two) = (self.scaled(lowest), other.scaled(lowest));
        let (is_negative, digits) = if self.is_negative == other.is_negative {
            (self.is_negative, sum(&one, &two))
        } else if magnitude(&one, &two) == Ordering::Less {
            (other.is_negative, difference(&two, &one))
        } else {
            (self.is_negative, difference(&one, &two))
        };
        let number = Self::normal(is_negative, digits, lowest);
        if number.digits.len() > DIGITS {
            return Err(OVERFLOW.to_owned());
        }
        number.bounded()
    }

    /// The difference; as [`Number::plus`].
    pub(in crate::services::dynamodb) fn minus(&self, other: &Self) -> Result<Self, String> {
        let is_negative = !other.is_negative && !other.digits.is_empty();
        self.plus(&Self { is_negative, ..other.clone() })
    }

    /// How many bytes of an item it takes: one for two digits, and one.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
    pub(in crate::services::dynamodb) fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.is_negative)
    }

    /// Digits, the last of which stands for ten to the power of `lowest`, without needless zeros.
    fn normal(is_negative: bool, mut digits: Vec<u8>, lowest: i64) -> Self {
        let exponent = lowest.saturating_add(length(&digits));
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return Self { is_negative: false, digits, exponent: 0 };
        }
        let exponent = exponent.saturating_sub(i64::try_from(leading).unwrap_or(i64::MAX));
        Self { is_negative, digits, exponent }
    }

    fn bounded(self) -> Result<Self, String> {
        match self.exponent.saturating_sub(1) {
            _ if self.digits.is_empty() => Ok(self),
            power if power > GREATEST => Err(OVERFLOW.to_owned()),
            power if power < LEAST => Err(UNDERFLOW.to_owned()),
            _ => Ok(self),
        }
    }

    /// The power of ten that the last digit stands for.
    fn lowest(&self) -> i64 {
        self.exponent - length(&self.digits)
    }

    /// The digits down to a power of ten that is not above the last digit's.
    fn scaled(&self, lowest: i64) -> Vec<u8> {
        let zeros = usize::try_from(self.lowest() - lowest).unwrap_or(0);
        let mut digits = self.digits.clone();
        digits.extend(std::iter::repeat_n(0, zeros));
        digits
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// An exponent as it is written; one that no number has is brought to where it is out of bounds all the same.
fn power_of_ten(text: &str) -> Option<i64> {
    let (is_negative, digits) = signed(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let power = digits.parse::<i64>().unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    Some(if is_negative { -power } else { power })
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

/// Compares digits that stand for the same powers of ten.
fn magnitude(one: &[u8], two: &[u8]) -> Ordering {
    one.len().cmp(&two.len()).then_with(|| one.cmp(two))
}

fn sum(one: &[u8], two: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(one.len().max(two.len()) + 1);
    let (mut one, mut two) = (one.iter().rev(), two.iter().rev());
    let mut carry = 0;
    loop {
        let (left, right) = (one.next(), two.next());
        if left.is_none() && right.is_none() && carry == 0 {
            break;
        }
        let column = left.unwrap_or(&0) + right.unwrap_or(&0) + carry;
        digits.push(column % 10);
        carry = column / 10;
    }
    digits.reverse();
    digits
}

/// The difference of digits of which the first are not the lesser.
fn difference(one: &[u8], two: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(one.len());
    let mut two = two.iter().rev();
    let mut borrow = 0;
    for left in one.iter().rev() {
        let right = two.next().unwrap_or(&0) + borrow;
        borrow = u8::from(*left < right);
        digits.push(left + 10 * borrow - right);
    }
    digits.reverse();
    digits
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_magnitude = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match self.is_negative {
            true => by_magnitude().reverse(),
            false => by_magnitude(),
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let sign = if self.is_negative { "-" } else { "" };
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        match usize::try_from(self.exponent) {
            Ok(0) | Err(_) => write!(f, "{sign}0.{}{digits}", zeros(-self.exponent)),
            Ok(whole) if whole < digits.len() => {
                let (whole, fraction) = digits.split_at(whole);
                write!(f, "{sign}{whole}.{fraction}")
            }
            Ok(_) => write!(f, "{sign}{digits}{}", zeros(self.exponent - length(&self.digits))),
        }
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    /// What DynamoDB itself was seen to answer.
    #[test]
    fn numbers_come_back_in_plain_digits() {
        for (text, plain) in [
            ("007", "7"),
            ("+1.50", "1.5"),
            ("-0.0", "0"),
            ("0e5", "0"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("1E+3", "1000"),
            ("1.23e-1", "0.123"),
            ("123e-2", "1.23"),
            ("9.9e10", "99000000000"),
            ("1e-5", "0.00001"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(number(text).to_string(), plain, "{text}");
            assert_eq!(number(plain), number(text));
        }
        assert_eq!(number("1e125").to_string().len(), 126);
    }

    #[test]
    fn what_is_no_number_or_does_not_fit_is_refused() {
        for text in ["", "NaN", "Infinity", "dog", " 1", "1 ", "1e", "e1", ".", "--1", "1_0"] {
            assert!(Number::parse(text).unwrap_err().contains("converted to a numeric value"), "{text}");
        }
        for text in ["3.14159265358979323846264338327950288419", "314159265358979323846264338327950288419e30"]
        {
            assert_eq!(Number::parse(text).unwrap_err(), TOO_PRECISE);
        }
        for text in ["1e126", "-11e125", "1e99999999999999999999"] {
            assert_eq!(Number::parse(text).unwrap_err(), OVERFLOW);
        }
        for text in ["1e-131", "-0.1e-130", "1e-99999999999999999999"] {
            assert_eq!(Number::parse(text).unwrap_err(), UNDERFLOW);
        }
        number("9.9999999999999999999999999999999999999e125");
        number("-1e-130");
    }

    #[test]
    fn sums_are_exact_or_refused() {
        for (one, two, plus, minus) in [
            ("1", "10000000000000000000000", "10000000000000000000001", "-9999999999999999999999"),
            ("0.1", "0.2", "0.3", "-0.1"),
            ("-5", "5", "0", "-10"),
            ("999.9", "0.1", "1000", "999.8"),
            ("0", "-7", "-7", "7"),
            ("9e125", "9e124", &format!("99{}", "0".repeat(124)), &format!("81{}", "0".repeat(124))),
        ] {
            assert_eq!(number(one).plus(&number(two)).unwrap().to_string(), plus);
            assert_eq!(number(one).minus(&number(two)).unwrap().to_string(), minus);
        }
        assert_eq!(number("1e50").plus(&number("1")).unwrap_err(), OVERFLOW);
        assert_eq!(number("9e125").minus(&number("-9e125")).unwrap_err(), OVERFLOW);
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let ordered = ["-1e10", "-10", "-9.5", "-0.01", "0", "1e-130", "0.5", "0.51", "9", "10", "1e100"];
        for pair in ordered.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }
}
