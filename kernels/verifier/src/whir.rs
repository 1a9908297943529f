//! The verifier's side of the opening's sumcheck rounds (WHIR, eprint 2024/1586): sum over addresses of
//! f(a) w(a) = v, two values a round. What w is at the end, `terms.rs` evaluates.

use crate::error::{Check, Rejection, Result};
use crate::field::EF;
use crate::sumcheck::reduce_round;
use crate::transcript::Transcript;

/// Values of a round: c_0 and c_2 of a polynomial of degree 2.
const ROUND_VALUES: usize = 2;

/// The challenges of `count` rounds, and the claim that remains.
///
/// # Errors
/// [`Check::OpeningRounds`] where the number of values is not two a round.
pub fn verify_rounds(
    count: usize,
    sent: &[EF],
    mut claim: EF,
    transcript: &mut Transcript,
) -> Result<(Vec<EF>, EF)> {
    let expected = count.saturating_mul(ROUND_VALUES);
    if sent.len() != expected {
        return Err(Rejection::counted(Check::OpeningRounds, expected, sent.len()).into());
    }
    let (rounds, _) = sent.as_chunks::<ROUND_VALUES>();
    let point = rounds.iter().map(|sent| reduce_round(sent, &mut claim, transcript)).collect();
    Ok((point, claim))
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;
    use crate::testing::*;

    #[test]
    fn a_round_reduces_the_claim_to_the_polynomial_at_the_challenge() {
        let (sent, claim) = (elements(1, 2), element(2));
        let (point, reduced) = verify_rounds(1, &sent, claim, &mut Transcript::new(b"t")).unwrap();
        let linear = claim - sent[0].double() - sent[1];
        assert_eq!(reduced, sent[0] + linear * point[0] + sent[1] * point[0].square());
        assert_eq!(sent[0] + (sent[0] + linear + sent[1]), claim);
    }

    #[test]
    fn another_number_of_values_is_rejected() {
        for count in [0, 5, 7] {
            let error =
                verify_rounds(3, &elements(1, count), EF::ZERO, &mut Transcript::new(b"t")).unwrap_err();
            assert_eq!(error, Rejection::counted(Check::OpeningRounds, 6, count).into());
        }
    }
}
