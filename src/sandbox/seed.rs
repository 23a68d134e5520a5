//! Repeatable choices: the same request gets the same words.

/// A small generator (splitmix64) seeded from text; nothing here needs to be unpredictable.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; zero for a bound of zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.get(self.below(choices.len() as u64) as usize).copied().unwrap_or_default()
    }
}

/// FNV-1a over the parts in order: stable from build to build, unlike the standard hasher.
pub fn hash(parts: &[&[u8]]) -> u64 {
    parts.iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| extend(hash, part))
}

/// Continues a hash with one more part.
pub fn extend(hash: u64, part: &[u8]) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    // The length goes in first, so that two ways to cut one text differ.
    let hash = (part.len() as u64).to_le_bytes().iter().fold(hash, |h, b| step(h, *b));
    part.iter().fold(hash, |h, b| step(h, *b))
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `N` random letters and digits; ids must differ even between equal requests.
pub fn random_alnum<const N: usize>() -> [u8; N] {
    let mut letters = [0; N];
    let mut bits = 0_u128;
    for (index, letter) in letters.iter_mut().enumerate() {
        // 62^20 fits in 128 bits.
        if index % 20 == 0 {
            bits = rand::random();
        }
        *letter = ALPHABET[(bits % 62) as usize];
        bits /= 62;
    }
    letters
}

/// The same as text, after a prefix.
pub fn random_id<const N: usize>(prefix: &str) -> String {
    prefix.chars().chain(random_alnum::<N>().into_iter().map(char::from)).collect()
}

/// A generation id as the real one spells it: `gen-<unix seconds>-<20 letters and digits>`.
pub fn generation_id(prefix: &str, unix: i64) -> String {
    random_id::<20>(&format!("{prefix}-{unix}-"))
}
