//! Fiat-Shamir: a labelled, length-prefixed transcript over BLAKE3.
//!
//! The transcript is a sequence of frames, collected by a keyed hasher whose key is the 32-byte
//! chaining state. All integers are little endian.
//!
//! ```text
//! initial state  = derive_key("deepprove-dist transcript v1", protocol)
//! frame          = kind (1 byte) | length of label (8) | length of data (8) | label | data
//! absorb         : frame 0, data = the absorbed bytes
//! challenges     : frame 1, data = count (8);               draws field challenges
//! indices        : frame 2, data = count (8) | bits (8);    draws indices
//! draw           : out = BLAKE3-XOF(key = state, frames since the last draw);
//!                  new state = out[0..32]; the drawn 32-bit words are out[32..]
//! digest         : BLAKE3(key = state, frames since the last draw | frame 3)
//! ```
//!
//! Frames are self-delimiting, so equal hasher inputs mean equal histories. A draw always appends its
//! frame first and replaces the state, so no two draws read the same stream. A field challenge
//! takes five words: the top bit is dropped and values from p on are drawn again (about 1 in 128),
//! so challenges are uniform in the extension.

use blake3::{Hasher, OutputReader};
use p3_field::{BasedVectorSpace, PrimeField32};

use crate::error::{Error, Result};
use crate::field::{EF, EXTENSION_BYTES, F, coefficients};

const CONTEXT: &str = "deepprove-dist transcript v1";
const STATE_BYTES: usize = 32;
const WORD_BYTES: usize = 4;
/// Words of a BLAKE3 block: elements are absorbed, and output is read, a block at a time.
const BLOCK_WORDS: usize = 16;
/// An index is cut from one word.
const MAX_INDEX_BITS: usize = 32;

/// What a frame holds. Those of streams and seeds are no part of a transcript: they are keyed with secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Bytes that were sent.
    Absorb = 0,
    /// A draw of field challenges.
    Challenges = 1,
    /// A draw of indices.
    Indices = 2,
    /// A digest.
    Digest = 3,
    /// The label and the number of a chunk of a stream.
    Stream = 4,
    /// A part of what a seed is derived from.
    Seed = 5,
}

impl Frame {
    /// Writes all of a frame but its `length` bytes of data.
    pub fn begin(self, label: &str, length: usize, hasher: &mut Hasher) {
        let lengths = [label.len() as u64, length as u64].map(u64::to_le_bytes);
        hasher.update(&[self as u8]).update(lengths.as_flattened()).update(label.as_bytes());
    }
}

/// Writes base elements in their canonical encoding.
pub fn write_elements(values: &[F], hasher: &mut Hasher) {
    let mut block = [[0; WORD_BYTES]; BLOCK_WORDS];
    for chunk in values.chunks(BLOCK_WORDS) {
        for (bytes, value) in block.iter_mut().zip(chunk) {
            *bytes = value.as_canonical_u32().to_le_bytes();
        }
        let words = block.get(..chunk.len()).unwrap_or_default();
        hasher.update(words.as_flattened());
    }
}

/// The state of a Fiat-Shamir transcript.
#[derive(Clone)]
pub struct Transcript {
    hasher: Hasher,
}

impl Transcript {
    /// An empty transcript of the named protocol.
    pub fn new(protocol: &[u8]) -> Self {
        let state = blake3::derive_key(CONTEXT, protocol);
        Self { hasher: Hasher::new_keyed(&state) }
    }

    /// Absorbs bytes.
    pub fn absorb(&mut self, label: &str, bytes: &[u8]) {
        self.header(Frame::Absorb, label, bytes.len());
        self.hasher.update(bytes);
    }

    /// Absorbs base elements in their canonical encoding.
    pub fn absorb_base(&mut self, label: &str, values: &[F]) {
        self.header(Frame::Absorb, label, values.len().saturating_mul(WORD_BYTES));
        write_elements(values, &mut self.hasher);
    }

    /// Absorbs extension elements in their canonical encoding.
    pub fn absorb_extension(&mut self, label: &str, values: &[EF]) {
        self.header(Frame::Absorb, label, values.len().saturating_mul(EXTENSION_BYTES));
        for value in values {
            write_elements(coefficients(value), &mut self.hasher);
        }
    }

    /// Draws a uniform element of the extension.
    pub fn challenge(&mut self, label: &str) -> EF {
        self.draw_challenges(label, 1).challenge()
    }

    /// Draws `count` independent uniform elements of the extension.
    pub fn challenges(&mut self, label: &str, count: usize) -> Vec<EF> {
        let mut words = self.draw_challenges(label, count);
        (0..count).map(|_| words.challenge()).collect()
    }

    /// Draws `count` independent uniform indices below 2^bits, in the order of drawing, repetitions
    /// included.
    ///
    /// # Errors
    /// [`Error::Shape`] if `bits` exceeds 32.
    pub fn indices(&mut self, label: &str, count: usize, bits: usize) -> Result<Vec<usize>> {
        if bits > MAX_INDEX_BITS {
            return Err(Error::Shape("indices have at most 32 bits"));
        }
        let request = [count as u64, bits as u64].map(u64::to_le_bytes);
        // No bits are a shift by the whole word.
        let dropped = u32::try_from(MAX_INDEX_BITS.saturating_sub(bits)).unwrap_or_default();
        let mask = u32::MAX.checked_shr(dropped).unwrap_or(0);
        let mut words = self.draw(Frame::Indices, label, request.as_flattened());
        Ok((0..count).map(|_| (words.next() & mask) as usize).collect())
    }

    /// A digest of everything so far; the transcript itself does not change.
    pub fn digest(&self) -> [u8; 32] {
        let mut copy = self.clone();
        copy.header(Frame::Digest, "", 0);
        copy.hasher.finalize().into()
    }

    fn header(&mut self, frame: Frame, label: &str, data_length: usize) {
        frame.begin(label, data_length, &mut self.hasher);
    }

    fn draw_challenges(&mut self, label: &str, count: usize) -> Words {
        self.draw(Frame::Challenges, label, &(count as u64).to_le_bytes())
    }

    fn draw(&mut self, frame: Frame, label: &str, request: &[u8]) -> Words {
        self.header(frame, label, request.len());
        self.hasher.update(request);
        let (state, words) = Words::read(self.hasher.finalize_xof());
        self.hasher = Hasher::new_keyed(&state);
        words
    }
}

/// The words of one draw, after the next state.
struct Words {
    reader: OutputReader,
    block: [[u8; STATE_BYTES]; 2],
    position: usize,
}

impl Words {
    /// The next state, and the words after it.
    fn read(mut reader: OutputReader) -> ([u8; STATE_BYTES], Self) {
        let mut block = [[0; STATE_BYTES]; 2];
        reader.fill(block.as_flattened_mut());
        let [state, _] = block;
        (state, Self { reader, block, position: STATE_BYTES / WORD_BYTES })
    }

    fn next(&mut self) -> u32 {
        if self.position == BLOCK_WORDS {
            self.reader.fill(self.block.as_flattened_mut());
            self.position = 0;
        }
        let (words, _) = self.block.as_flattened().as_chunks::<WORD_BYTES>();
        let word = words.get(self.position).copied().unwrap_or_default();
        self.position = self.position.saturating_add(1);
        u32::from_le_bytes(word)
    }

    fn challenge(&mut self) -> EF {
        EF::from_basis_coefficients_fn(|_| {
            loop {
                let candidate = self.next() & (u32::MAX >> 1);
                if candidate < F::ORDER_U32 {
                    return F::new(candidate);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::extension_to_bytes;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    fn frame(kind: u8, label: &[u8], data: &[u8]) -> Vec<u8> {
        let mut out = vec![kind];
        out.extend((label.len() as u64).to_le_bytes());
        out.extend((data.len() as u64).to_le_bytes());
        out.extend([label, data].concat());
        out
    }

    #[test]
    fn the_construction_is_pinned() {
        let mut transcript = Transcript::new(b"test");
        transcript.absorb("bytes", b"abc");
        assert_eq!(
            hex(&transcript.digest()),
            "c1614aa0fbaa7d72fa0979feebb05e1c7d4f722d4d4b54b9905bb710923d0085"
        );
        let challenge = transcript.challenge("challenge");
        assert_eq!(hex(&extension_to_bytes(&challenge)), "2ba23826f4c26f1f683763349f2cb033f497c804");
        assert_eq!(transcript.indices("indices", 4, 10), Ok(vec![583, 331, 601, 611]));
        assert_eq!(
            hex(&transcript.digest()),
            "179e7e88b614e76213706dc7b1008ea4ba70612c9ed995d0372131d0c2c27806"
        );
    }

    #[test]
    fn the_construction_is_the_documented_one() {
        let state = blake3::derive_key(CONTEXT, b"test");
        let input = [
            frame(0, b"a", b"xyz"),
            frame(2, b"i", &[[3, 0, 0, 0, 0, 0, 0, 0], [32, 0, 0, 0, 0, 0, 0, 0]].concat()),
        ];
        let mut out = [0; 44];
        Hasher::new_keyed(&state).update(&input.concat()).finalize_xof().fill(&mut out);

        let mut transcript = Transcript::new(b"test");
        transcript.absorb("a", b"xyz");
        let drawn = transcript.indices("i", 3, 32).unwrap();
        let expected: Vec<_> = out[32..]
            .chunks_exact(4)
            .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]) as usize)
            .collect();
        assert_eq!(drawn, expected);
        let mut state = [0; 32];
        state.copy_from_slice(&out[..32]);
        assert_eq!(transcript.digest(), *blake3::keyed_hash(&state, &frame(3, b"", b"")).as_bytes());
    }

    #[test]
    fn words_that_are_no_elements_are_drawn_again() {
        let count = 100_usize;
        let state = blake3::derive_key(CONTEXT, b"test");
        let mut hasher = Hasher::new_keyed(&state);
        hasher.update(&frame(1, b"c", &(count as u64).to_le_bytes()));
        let mut out = vec![0; STATE_BYTES + 6 * count * WORD_BYTES];
        hasher.finalize_xof().fill(&mut out);
        let (words, _) = out[STATE_BYTES..].as_chunks::<WORD_BYTES>();
        let words: Vec<u32> = words.iter().map(|&word| u32::from_le_bytes(word) & (u32::MAX >> 1)).collect();
        assert!(words[..5 * count].iter().any(|&word| word >= F::ORDER_U32));
        let elements = words.into_iter().filter(|&word| word < F::ORDER_U32).map(F::new);

        let drawn = Transcript::new(b"test").challenges("c", count);
        assert!(drawn.iter().flat_map(coefficients).copied().eq(elements.take(5 * count)));
    }

    proptest! {
        #[test]
        fn elements_are_absorbed_as_their_encoding(raw in prop::collection::vec(0..F::ORDER_U32, 0..60)) {
            let base: Vec<F> = raw.iter().map(|&v| F::new(v)).collect();
            let extension: Vec<EF> = base.iter().map(|&v| EF::from(v)).collect();
            let mut typed = Transcript::new(b"t");
            typed.absorb_base("base", &base);
            typed.absorb_extension("extension", &extension);
            let base_bytes: Vec<u8> = raw.iter().flat_map(|v| v.to_le_bytes()).collect();
            let extension_bytes: Vec<u8> = extension.iter().flat_map(extension_to_bytes).collect();
            let mut untyped = Transcript::new(b"t");
            untyped.absorb("base", &base_bytes);
            untyped.absorb("extension", &extension_bytes);
            prop_assert_eq!(typed.digest(), untyped.digest());
        }

        #[test]
        fn indices_stay_below_their_bound(seed: u64, bits in 0_usize..=32) {
            let mut transcript = Transcript::new(&seed.to_le_bytes());
            let drawn = transcript.indices("i", 40, bits).unwrap();
            prop_assert_eq!(drawn.len(), 40);
            prop_assert!(drawn.iter().all(|&i| (i as u64) < 1 << bits));
        }
    }

    #[test]
    fn every_part_of_the_history_matters() {
        let run = |work: &dyn Fn(&mut Transcript)| {
            let mut transcript = Transcript::new(b"p");
            work(&mut transcript);
            transcript.challenge("c")
        };
        let histories = [
            run(&|_| {}),
            run(&|t| t.absorb("a", b"")),
            run(&|t| t.absorb("a", b"bc")),
            run(&|t| t.absorb("ab", b"c")),
            run(&|t| {
                t.absorb("a", b"b");
                t.absorb("", b"c");
            }),
            run(&|t| _ = t.challenge("c")),
            run(&|t| _ = t.challenges("c", 2)),
            run(&|t| _ = t.indices("c", 1, 8)),
            Transcript::new(b"q").challenge("c"),
            Transcript::new(b"p").challenge("d"),
        ];
        for (i, a) in histories.iter().enumerate() {
            assert!(histories[..i].iter().all(|b| a != b));
        }
    }

    #[test]
    fn a_copy_continues_like_the_original() {
        let mut original = Transcript::new(b"p");
        original.absorb("a", b"b");
        let mut copy = original.clone();
        assert_eq!(original.challenges("c", 30), copy.challenges("c", 30));
        assert_eq!(original.digest(), copy.digest());
    }
}
