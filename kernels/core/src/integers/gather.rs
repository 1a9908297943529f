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

    /// The values of a tap at the columns from `first` on, as many as `values` holds.
    #[inline(always)]
    pub fn read(&self, group: usize, tap: usize, first: usize, values: &mut [i16]) {
        let start = group * self.group_step + self.taps[tap] as usize;
        let columns = &self.columns[first..first + values.len()];
        if let Some(begin) = consecutive(columns) {
            values.copy_from_slice(&self.source[start + begin..][..values.len()]);
        } else {
            for (value, &column) in values.iter_mut().zip(columns) {
                *value = self.source[start + column as usize];
            }
        }
    }
}

/// The first of some offsets where each is one more than that before.
#[inline(always)]
fn consecutive(offsets: &[u32]) -> Option<usize> {
    let first = *offsets.first()?;
    let steps = offsets.iter().zip(first..).all(|(&offset, expected)| offset == expected);
    steps.then_some(first as usize)
}
