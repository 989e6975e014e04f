//! Changes inputs: single bytes and words anywhere, and whole frames of streams of messages.

use crate::random::Random;

/// What an input is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the mutator has these two ways")]
pub enum Kind {
    /// Bytes.
    Bytes,
    /// Messages one after the other, each with a header that says how long it is.
    Frames,
}

/// Changes a copy of an input in a few places.
pub fn mutate(input: &[u8], other: &[u8], kind: Kind, random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if kind == Kind::Frames && random.below(4) != 0 {
        let mut frames = split(&bytes);
        for _ in 0..=random.below(3) {
            if random.below(3) == 0 {
                rearrange(&mut frames, other, random);
            } else if let Some(index) = pick(frames.len(), random) {
                // Behind the header, so that it stays a frame.
                let header = header_len(&frames[index]).min(frames[index].len());
                for _ in 0..=random.below(4) {
                    change(&mut frames[index][header..], random);
                }
            }
        }
        return frames.concat();
    }
    for _ in 0..=random.below(6) {
        change(&mut bytes, random);
    }
    match random.below(12) {
        0 => bytes.truncate(random.below(bytes.len() + 1)),
        1 => {
            let at = random.below(bytes.len() + 1);
            let tail = &other[random.below(other.len() + 1)..];
            bytes.splice(at.., tail.iter().copied());
        }
        _ => {}
    }
    bytes
}

/// Cuts a stream into its messages. What is no whole message is the last of them.
#[must_use]
pub fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let header = header_len(bytes);
        let words: usize = (0..segments(bytes))
            .map(|index| word(bytes, 4 + 4 * index))
            .sum();
        let length = header
            .saturating_add(words.saturating_mul(8))
            .min(bytes.len());
        let (frame, rest) = bytes.split_at(length.max(1));
        frames.push(frame.to_vec());
        bytes = rest;
    }
    frames
}

fn segments(bytes: &[u8]) -> usize {
    (word(bytes, 0) + 1).min(512)
}

fn header_len(bytes: &[u8]) -> usize {
    (4 + 4 * segments(bytes)).next_multiple_of(8)
}

fn word(bytes: &[u8], at: usize) -> usize {
    let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    word.map_or(0, |word| u32::from_le_bytes(word) as usize)
}

/// Changes one place.
fn change(bytes: &mut [u8], random: &mut Random) {
    let Some(at) = pick(bytes.len(), random) else {
        return;
    };
    match random.below(8) {
        0 => bytes[at] = 0,
        1 => bytes[at] = 0xff,
        2 => bytes[at] ^= 1 << random.below(8),
        3 => bytes[at] = bytes[at].wrapping_add(1),
        4 => bytes[at] = bytes[at].wrapping_sub(1),
        5 => bytes[at] = random.number() as u8,
        // A word of the message itself, or of nothing.
        6 => copy_word(bytes, at, random),
        _ => {
            let start = at & !7;
            let end = (start + 8).min(bytes.len());
            bytes[start..end].fill(0);
        }
    }
}

fn copy_word(bytes: &mut [u8], at: usize, random: &mut Random) {
    let (from, to) = (random.below(bytes.len()) & !7, at & !7);
    if from + 8 <= bytes.len() && to + 8 <= bytes.len() {
        bytes.copy_within(from..from + 8, to);
    }
}

fn rearrange(frames: &mut Vec<Vec<u8>>, other: &[u8], random: &mut Random) {
    let (Some(one), Some(two)) = (pick(frames.len(), random), pick(frames.len(), random)) else {
        return;
    };
    match random.below(4) {
        0 => frames.swap(one, two),
        1 => drop(frames.remove(one)),
        2 => frames.insert(two, frames[one].clone()),
        _ => {
            let others = split(other);
            if let Some(index) = pick(others.len(), random) {
                frames.insert(one, others[index].clone());
            }
        }
    }
}

fn pick(len: usize, random: &mut Random) -> Option<usize> {
    (len > 0).then(|| random.below(len))
}
