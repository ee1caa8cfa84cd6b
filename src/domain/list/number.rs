//! A JSON number that compares exactly, whatever its size.
//!
//! Rounding to `f64` would make 9007199254740993 equal to 9007199254740992, and mixing exact
//! integers with rounded fractions is not even an order (sorting may panic on it). So a number that
//! is not a small integer is kept as its decimal digits. Exponents beyond what fits `i64` are cut
//! off there; this is the only inexactness.

use std::cmp::Ordering;

/// A number of any size and precision. Equal numbers are equal however they are written: `1`, `1.0`
/// and `10e-1`.
#[derive(Debug, Clone)]
pub(super) enum Number {
    /// The common case: no allocation, one comparison.
    Small(i64),
    Decimal(Decimal),
}

/// `sign * 0.<digits> * 10^exponent`; the digits neither start nor end with a zero, and zero has
/// none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    sign: Sign,
    exponent: i64,
    digits: Box<[u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Negative,
    Zero,
    Positive,
}

impl Number {
    /// Parses a JSON number. `None` for anything else, including `+1`, `.5`, `01` and ` 1`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts = Parts::split(text)?;
        if parts.fraction.is_empty()
            && parts.exponent == 0
            && let Ok(small) = text.parse()
        {
            return Some(Self::Small(small));
        }
        Some(Self::Decimal(parts.into_decimal()))
    }

    fn to_decimal(&self) -> Decimal {
        match self {
            Self::Decimal(decimal) => decimal.clone(),
            Self::Small(small) => {
                let digits = small.unsigned_abs().to_string();
                Parts {
                    negative: *small < 0,
                    integer: &digits,
                    fraction: "",
                    exponent: 0,
                }
                .into_decimal()
            }
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(a), Self::Small(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::Small(_), Self::Decimal(b)) => self.to_decimal().cmp(b),
            (Self::Decimal(a), Self::Small(_)) => a.cmp(&other.to_decimal()),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = || {
            self.exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits))
        };
        self.sign.cmp(&other.sign).then_with(|| match self.sign {
            Sign::Negative => size().reverse(),
            Sign::Zero => Ordering::Equal,
            Sign::Positive => size(),
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The parts of a number's text.
struct Parts<'a> {
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Parts<'a> {
    /// JSON's grammar: `-`? digits without a leading zero, (`.` digits)?, ([eE] sign? digits)?
    fn split(text: &'a str) -> Option<Self> {
        let (negative, text) = text
            .strip_prefix('-')
            .map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };

        let (integer, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };

        let leading_zero = integer.len() > 1 && integer.starts_with('0');
        let digits = !integer.is_empty() && is_digits(integer) && is_digits(fraction);
        (digits && !leading_zero).then_some(Self {
            negative,
            integer,
            fraction,
            exponent,
        })
    }

    fn into_decimal(self) -> Decimal {
        let written: Vec<u8> = self.integer.bytes().chain(self.fraction.bytes()).collect();
        let Some(first) = written.iter().position(|digit| *digit != b'0') else {
            return Decimal {
                sign: Sign::Zero,
                exponent: 0,
                digits: Box::default(),
            };
        };

        let last = written
            .iter()
            .rposition(|digit| *digit != b'0')
            .unwrap_or(first);
        let point = i64::try_from(self.integer.len()).unwrap_or(i64::MAX);
        let skipped = i64::try_from(first).unwrap_or(i64::MAX);

        Decimal {
            sign: if self.negative {
                Sign::Negative
            } else {
                Sign::Positive
            },
            exponent: self.exponent.saturating_add(point - skipped),
            digits: written.get(first..=last).unwrap_or_default().into(),
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !is_digits(digits) {
        return None;
    }
    // All digits, so reading fails only by overflow.
    let size: i64 = digits.parse().unwrap_or(i64::MAX);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn reads_what_json_calls_a_number_and_nothing_else() {
        for good in [
            "0",
            "-0",
            "1",
            "-12",
            "0.5",
            "1e5",
            "1E+5",
            "1.25e-7",
            "123456789012345678901234567890",
        ] {
            assert!(Number::parse(good).is_some(), "{good}");
        }

        for bad in [
            "", "-", "+1", " 1", "1 ", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "0x1", "NaN",
            "inf", "1_0", "٣", "--1", "1.2.3",
        ] {
            assert!(Number::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for (a, b) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("100", "10.00e1"),
            ("0", "-0"),
            ("0", "-0.000e99"),
            ("0.001", "1e-3"),
            ("-1.50", "-1.5"),
            ("9223372036854775808", "9223372036854775808.0"),
            ("1e400", "10e399"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn neighbours_beyond_the_precision_of_a_float_stay_apart() {
        for (smaller, larger) in [
            ("9007199254740992", "9007199254740993"),
            ("9007199254740992", "9007199254740992.5"),
            ("9007199254740992.5", "9007199254740993"),
            (
                "123456789012345678901234567890123456789012345678901",
                "123456789012345678901234567890123456789012345678902",
            ),
            ("0.1", "0.10000000000000000001"),
        ] {
            assert!(number(smaller) < number(larger), "{smaller} {larger}");
        }
    }

    #[test]
    fn order_runs_from_the_most_negative_to_the_most_positive() {
        let ascending = [
            "-1e99999999999999999999",
            "-1e400",
            "-170141183460469231731687303715884105729",
            "-9223372036854775809",
            "-9223372036854775808",
            "-10",
            "-9.99",
            "-9",
            "-0.5",
            "-0.05",
            "-1e-400",
            "0",
            "1e-400",
            "0.05",
            "0.5",
            "9",
            "9.99",
            "10",
            "9223372036854775807",
            "9223372036854775808",
            "1e400",
            "1e99999999999999999999",
        ];

        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(number(a).cmp(&number(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
