//! How many lists a msgpack file has, and how many items they have, before anything is made of them.
//!
//! A decoder makes an object of each list: an empty one is a byte in a file, and 60 bytes in memory. A scan needs
//! no memory. Each value says how many bytes it has, or how many of the values after it are its items. A map
//! counts as the list of its keys and values.

/// Lists and items of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ItemCount {
    /// Lists and maps, however deep.
    pub lists: u64,
    /// What they hold, together.
    pub items: u64,
}

/// What a value has after its type and its length.
enum Content {
    Bytes(u64),
    Items(u64),
}

/// Counts the lists of the first value in `bytes`; no more are counted after more than `most` items.
///
/// None where the bytes end within it, or have a type that no file has (extensions).
pub fn count_items(bytes: &[u8], most: u64) -> Option<ItemCount> {
    let (mut bytes, mut count, mut pending) = (bytes, ItemCount::default(), 1_u64);
    while pending > 0 && count.items <= most {
        pending -= 1;
        match content(&mut bytes)? {
            Content::Bytes(length) => bytes = bytes.get(usize::try_from(length).ok()?..)?,
            Content::Items(items) => {
                count.lists += 1;
                count.items += items;
                pending += items;
            }
        }
    }
    Some(count)
}

/// Reads the type of a value, and its length.
fn content(bytes: &mut &[u8]) -> Option<Content> {
    let tag = number(bytes, 1)?;
    Some(match tag {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Content::Bytes(0),
        0x80..=0x8f => Content::Items(2 * (tag & 0x0f)),
        0x90..=0x9f => Content::Items(tag & 0x0f),
        0xa0..=0xbf => Content::Bytes(tag & 0x1f),
        0xc4 | 0xd9 => Content::Bytes(number(bytes, 1)?),
        0xc5 | 0xda => Content::Bytes(number(bytes, 2)?),
        0xc6 | 0xdb => Content::Bytes(number(bytes, 4)?),
        0xcc | 0xd0 => Content::Bytes(1),
        0xcd | 0xd1 => Content::Bytes(2),
        0xca | 0xce | 0xd2 => Content::Bytes(4),
        0xcb | 0xcf | 0xd3 => Content::Bytes(8),
        0xdc => Content::Items(number(bytes, 2)?),
        0xdd => Content::Items(number(bytes, 4)?),
        0xde => Content::Items(2 * number(bytes, 2)?),
        0xdf => Content::Items(2 * number(bytes, 4)?),
        _ => return None,
    })
}

/// The big-endian number of so many bytes.
fn number(bytes: &mut &[u8], length: usize) -> Option<u64> {
    let (digits, tail) = bytes.split_at_checked(length)?;
    *bytes = tail;
    Some(digits.iter().fold(0, |number, &digit| number << 8 | u64::from(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_counted_with_its_items() {
        let lists = |bytes: &[u8]| count_items(bytes, u64::MAX).map(|count| (count.lists, count.items));
        for (bytes, expected) in [
            (&[0x05][..], Some((0, 0))),
            (&[0x93, 1, 0x90, 0x91, 0xc0], Some((3, 4))),
            // A map, with a list as a value.
            (&[0x81, 0xa1, b'x', 0x92, 1, 2], Some((2, 4))),
            // Texts, bytes and numbers that would be lists, were they read as values.
            (&[0x92, 0xa2, 0x90, 0x90, 0xc4, 2, 0x90, 0x90], Some((1, 2))),
            (&[0x92, 0xcd, 0x90, 0x90, 0xcb, 0x90, 0, 0, 0, 0, 0, 0, 0], Some((1, 2))),
            (&[0x91, 0xd9, 1, 0x90], Some((1, 1))),
            (&[0x92, 0xc5, 0, 1, 0x90, 0xc6, 0, 0, 0, 1, 0x90], Some((1, 2))),
            (&[0xdc, 0, 2, 0x90, 0x90], Some((3, 2))),
            (&[0xdd, 0, 0, 0, 1, 0x90], Some((2, 1))),
            (&[0xde, 0, 1, 0x90, 0x90], Some((3, 2))),
            (&[0xdf, 0, 0, 0, 1, 0x90, 0x90], Some((3, 2))),
            // What comes after it is another's matter.
            (&[0x90, 0x90], Some((1, 0))),
            (&[], None),
            (&[0x92, 0x90], None),
            (&[0xc4, 2, 0], None),
            (&[0xdc, 0], None),
            (&[0x91, 0xd4, 0, 0], None),
            (&[0xc1], None),
        ] {
            assert_eq!(lists(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn counting_stops_beyond_the_most() {
        let count = |bytes: &[u8]| count_items(bytes, 3);
        assert_eq!(count(&[0x93, 0x90, 0x90, 0x90]), Some(ItemCount { lists: 4, items: 3 }));
        assert_eq!(count(&[0x94]), Some(ItemCount { lists: 1, items: 4 }));
        assert_eq!(
            count(&[0xdf, 0xff, 0xff, 0xff, 0xff]),
            Some(ItemCount { lists: 1, items: 2 * 0xffff_ffff })
        );
    }
}
