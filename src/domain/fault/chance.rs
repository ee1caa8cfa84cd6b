//! Numbers that look random and follow from a seed, a rule and the number of a request.

/// The source of the random decisions about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(u64);

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    /// The decisions of one rule about one request.
    pub fn new(seed: u64, rule: usize, number: u64) -> Self {
        let rule = u64::try_from(rule).unwrap_or(u64::MAX);
        Self(mix(mix(mix(seed).wrapping_add(rule)).wrapping_add(number)))
    }

    fn bits(self, purpose: u64) -> u64 {
        mix(self.0.wrapping_add(purpose.wrapping_mul(GOLDEN)))
    }

    /// A number of at least 0 and less than 1. Each purpose has its own.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn number(self, purpose: u64) -> f64 {
        (self.bits(purpose) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number of less than `end`.
    pub(super) fn below(self, purpose: u64, end: u64) -> u64 {
        let product = u128::from(self.bits(purpose)) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or_default()
    }

    /// A log-normally distributed number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "casts of floats saturate, and milliseconds are small"
    )]
    pub(super) fn log_normal(self, purpose: u64, median: u64, sigma: f64) -> u64 {
        // Box and Muller's transform of two even numbers into a normal one.
        let radius = (-2.0 * (1.0 - self.number(purpose)).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.number(purpose.wrapping_add(1));
        (median as f64 * (sigma * radius * angle.cos()).exp()).round() as u64
    }
}

/// The finalizer of SplitMix64.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
