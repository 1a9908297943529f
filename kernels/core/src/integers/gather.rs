//! Where the factors of sums of products lie in a source: at a tap's offset beyond a column's.

/// The values that sums read: column c and tap k of group g have
/// `source[g * group_step + taps[k] + columns[c]]`.
pub struct Gather<'a> {
    source: &'a [i16],
    taps: &'a [u32],
    group_step: usize,
    columns: &'a [u32],
}

impl<'a> Gather<'a> {
    /// None where an offset of one of so many groups lies beyond the source.
    pub fn new(
        source: &'a [i16],
        taps: &'a [u32],
        group_step: usize,
        columns: &'a [u32],
        groups: usize,
    ) -> Option<Self> {
        let largest = |offsets: &[u32]| offsets.iter().max().map_or(0, |&offset| offset as usize);
        let last_group = group_step.checked_mul(groups.checked_sub(1)?)?;
        let last = last_group.checked_add(largest(taps) + largest(columns))?;
        (last < source.len()).then_some(Self { source, taps, group_step, columns })
    }

    /// The offsets of some taps.
    pub fn offsets(&self, taps: &[usize]) -> Vec<u32> {
        taps.iter().map(|&tap| self.taps[tap]).collect()
    }

    /// The same at other taps, whose offsets are among those of this one.
    pub fn with_taps<'b>(&self, taps: &'b [u32]) -> Gather<'b>
    where
        'a: 'b,
    {
        Gather { source: self.source, taps, group_step: self.group_step, columns: self.columns }
    }

    pub fn taps(&self) -> usize {
        self.taps.len()
    }

    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The columns cut into blocks of so many.
    pub fn blocks(&self, size: usize) -> Vec<Block> {
        let block = |(index, offsets)| Block { first: index * size, ..Block::of(offsets) };
        self.columns.chunks(size).enumerate().map(block).collect()
    }

    /// The values of a tap at a block's columns, as many as `values` holds.
    #[inline(always)]
    pub fn read(&self, group: usize, tap: usize, block: &Block, values: &mut [i16]) {
        let (start, mut values) = (group * self.group_step + self.taps[tap] as usize, values);
        for run in &block.runs {
            let (part, others) = values.split_at_mut(run.length);
            let source = &self.source[start + run.offset..];
            match run.step {
                1 => part.copy_from_slice(&source[..run.length]),
                2 => read_evenly::<2>(source, part),
                step => {
                    part.iter_mut().zip(source.iter().step_by(step)).for_each(|(value, &read)| *value = read)
                }
            }
            values = others;
        }
    }
}

/// Every STEP-th value of a source, whose last one may end with it.
#[inline(always)]
fn read_evenly<const STEP: usize>(source: &[i16], values: &mut [i16]) {
    let Some((last, values)) = values.split_last_mut() else { return };
    let steps = source.as_chunks::<STEP>().0;
    values.iter_mut().zip(steps).for_each(|(value, read)| *value = read[0]);
    *last = source[values.len() * STEP];
}

/// Some columns, as runs of evenly spaced offsets: rows of an image.
pub struct Block {
    /// The first one's index.
    pub first: usize,
    /// How many there are.
    pub count: usize,
    runs: Vec<Run>,
}

struct Run {
    offset: usize,
    step: usize,
    length: usize,
}

impl Block {
    fn of(offsets: &[u32]) -> Self {
        let mut runs = Vec::<Run>::new();
        for offset in offsets.iter().map(|&offset| offset as usize) {
            match runs.last_mut() {
                Some(run) if run.length == 1 && offset > run.offset => {
                    (run.step, run.length) = (offset - run.offset, 2);
                }
                Some(run) if run.length > 1 && offset == run.offset + run.length * run.step => {
                    run.length += 1
                }
                _ => runs.push(Run { offset, step: 1, length: 1 }),
            }
        }
        Self { first: 0, count: offsets.len(), runs }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_read_what_their_columns_say(
            columns in prop::collection::vec(0u32..40, 1..60),
            size in 1usize..70,
            step in 1u32..4,
            even: bool,
        ) {
            let source: Vec<i16> = (0..200).map(|index| index * 37).collect();
            let evenly: Vec<u32> = (0..columns.len() as u32).map(|index| step * (index % 9) + 10 * (index / 9)).collect();
            let columns = if even { evenly } else { columns };
            let gather = Gather::new(&source, &[3, 5], 11, &columns, 2).unwrap();
            let mut read = Vec::new();
            for block in gather.blocks(size) {
                prop_assert_eq!(block.first, read.len());
                let mut values = vec![0; block.count];
                gather.read(1, 1, &block, &mut values);
                read.extend(values);
            }
            let expected: Vec<i16> = columns.iter().map(|&column| source[11 + 5 + column as usize]).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
