//! Integers in fewer bits.

use super::rounding::Narrow;

/// The integers in 16 bits each, and their largest magnitude; None where one has more.
pub fn narrow<N: Narrow>(values: &[N]) -> Option<(Vec<i16>, u16)> {
    let (mut least, mut most) = (0, 0);
    let narrow = values
        .iter()
        .map(|&value| {
            let value = value.wide();
            least = least.min(value);
            most = most.max(value);
            value as i16
        })
        .collect();
    let fits = least >= i64::from(i16::MIN) && most <= i64::from(i16::MAX);
    fits.then(|| (narrow, (-least).max(most) as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_16_bits_stays() {
        assert_eq!(narrow(&[-32768, 7, 32767]), Some((vec![-32768, 7, 32767], 32768)));
        assert_eq!(narrow::<i8>(&[]), Some((vec![], 0)));
        assert_eq!(narrow(&[0, 32768]), None);
        assert_eq!(narrow(&[-7i8, 3]), Some((vec![-7, 3], 7)));
        assert_eq!(narrow(&[-32769]), None);
    }
}
