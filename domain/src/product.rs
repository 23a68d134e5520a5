//! A product that is rounded once.

use rust_decimal::Decimal;

/// 192 bits in base 2³², least first: room for the product of two 96-bit mantissas.
struct Wide([u32; 6]);

impl Wide {
    fn product(a: u128, b: u128) -> Self {
        let limb = |value: u128, at: usize| (value >> (32 * at)) as u64 & 0xffff_ffff;
        let mut limbs = [0_u32; 6];
        for i in 0..3 {
            let mut carry = 0;
            for j in 0..3 {
                let sum = limb(a, i) * limb(b, j) + u64::from(limbs[i + j]) + carry;
                limbs[i + j] = sum as u32;
                carry = sum >> 32;
            }
            limbs[i + 3] = carry as u32;
        }
        Self(limbs)
    }

    /// Divides by ten and gives the digit that fell off.
    fn drop_digit(&mut self) -> u64 {
        self.0.iter_mut().rev().fold(0, |rest, limb| {
            let value = (rest << 32) | u64::from(*limb);
            *limb = (value / 10) as u32;
            value % 10
        })
    }

    /// Nothing if it is beyond 96 bits.
    fn narrow(&self) -> Option<i128> {
        let [low, mid, high, rest @ ..] = self.0;
        (rest == [0; 3]).then(|| i128::from(high) << 64 | i128::from(mid) << 32 | i128::from(low))
    }
}

/// `a × b` with at most `decimals` decimals, half-even; nothing if it does not fit.
///
/// `Decimal`'s own product is rounded to 28 digits already, and rounding that again can miss: a
/// hair above a half becomes the half itself, and then goes to the even neighbour.
pub(crate) fn half_even(a: Decimal, b: Decimal, decimals: u32) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let mut wide = Wide::product(a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let scale = a.scale() + b.scale();
    let (mut last, mut before) = (0, false);
    for _ in decimals..scale {
        before |= last != 0;
        last = wide.drop_digit();
    }
    let mut magnitude = wide.narrow()?;
    if last > 5 || last == 5 && (before || magnitude % 2 == 1) {
        magnitude += 1;
    }
    let negative = a.is_sign_negative() != b.is_sign_negative();
    let signed = if negative { -magnitude } else { magnitude };
    Decimal::try_from_i128_with_scale(signed, scale.min(decimals)).ok()
}
