//! The layers of a tree, from the root down to the leaves: each of them is used up by the rounds that pass it.

use super::Layer;
use super::leaves::Leaves;
use super::sums::LayerSums;
use crate::error::{Error, Result};
use crate::field::{EF, LOG_WIDTH};

/// Levels of a tree whose largest layers are made when they are needed: in smaller ones all layers together are a
/// few hundred megabytes.
const LARGE_LEVELS: usize = 22;
/// Nodes that are written at once where nothing else is said, of all but the leaves above them: 2^26 take 2.7 GB.
pub const LOG_WRITTEN: usize = 26;
/// A quarter of so many leaves is two packs.
const LEAST_LEVELS: usize = LOG_WIDTH + 3;

/// How far above the leaves the layers begin that are made at once, all together 2^`log_written` nodes.
fn lowest(levels: usize, log_written: usize) -> usize {
    match levels {
        ..LEAST_LEVELS => 0,
        LEAST_LEVELS..LARGE_LEVELS => 1,
        _ => (levels + 1).saturating_sub(log_written).clamp(2, levels - LEAST_LEVELS),
    }
}

/// What is left of a tree.
pub struct Layers {
    levels: usize,
    /// The lowest of them first, and its distance from the leaves.
    made: Vec<Layer>,
    lowest: usize,
    log_written: usize,
    /// What lower layers are made from.
    leaves: Option<Leaves>,
}

impl Layers {
    /// From all leaves.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are fewer than two leaves or the two vectors differ in length.
    pub fn new(leaves: Layer) -> Result<Self> {
        let levels = leaves.level().filter(|&levels| levels > 0);
        let levels =
            levels.ok_or(Error::Shape("a fraction tree needs two leaves, and numerators as denominators"))?;
        Ok(Self { levels, made: leaves.with_ancestors(), lowest: 0, log_written: LOG_WRITTEN, leaves: None })
    }

    /// With at most 2^`log_written` nodes written at once, of two packs or more: fewer take less memory and more time.
    ///
    /// Leaves of eight packs or more are never written. Of a large tree the layer above them is made alone: it is half
    /// of what all layers take. Of a larger one some layers are never written as a whole.
    pub fn written(leaves: Leaves, log_written: usize) -> Self {
        let lowest = lowest(leaves.levels(), log_written);
        Self::from_height(leaves, lowest, log_written.max(LEAST_LEVELS))
    }

    /// With the layers from `lowest` levels above the leaves on made at once. Of those below, 2^`log_written` nodes are
    /// written at once, of two packs or more.
    pub(super) fn from_height(leaves: Leaves, lowest: usize, log_written: usize) -> Self {
        let (levels, made) = (leaves.levels(), leaves.layer(lowest).with_ancestors());
        Self { levels, made, lowest, log_written, leaves: (lowest > 0).then_some(leaves) }
    }

    /// The logarithm of the number of leaves.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// The 2^`level` nodes of a layer, which is used up with those above it; none where it is used up already.
    pub(crate) fn take(&mut self, level: usize) -> Option<Layer> {
        let height = self.levels.checked_sub(level)?;
        match height.checked_sub(self.lowest) {
            Some(index) => {
                self.made.truncate(index + 1);
                if index < self.made.len() { self.made.pop() } else { None }
            }
            None => {
                self.made.clear();
                self.lowest = height;
                let layer = self.leaves.as_ref()?.layer(height);
                if height == 0 {
                    self.leaves = None;
                }
                Some(layer)
            }
        }
    }

    /// The sums of the layer of 2^|z| nodes, whose children are used up.
    pub(crate) fn sums(&mut self, z: &[EF], lambda: EF) -> Option<LayerSums> {
        let level = z.len() + 1;
        let height = self.levels.checked_sub(level)?;
        let rounds = level.saturating_sub(self.log_written).max(usize::from(height == 0));
        if height >= self.lowest || rounds == 0 {
            return Some(LayerSums::new(self.take(level)?, z, lambda));
        }
        (self.made, self.lowest) = (Vec::new(), height);
        let leaves = if height == 0 { self.leaves.take()? } else { self.leaves.clone()? };
        Some(LayerSums::streamed(leaves, z, lambda, rounds))
    }
}

impl From<Leaves> for Layers {
    fn from(leaves: Leaves) -> Self {
        Self::written(leaves, LOG_WRITTEN)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use deepprove_verifier::testing::*;

    use super::*;
    use crate::field::F;
    use crate::logup::leaves::{Column, LeafBlock};

    fn leaves(levels: usize) -> Leaves {
        let column = Column::new(Arc::new((0..1 << levels).map(F::new).collect()), 0, 1 << levels).unwrap();
        let terms = vec![(element(2), column)];
        let block =
            LeafBlock { leaf: 0, len: 1 << levels, multiplicities: None, constant: element(1), terms };
        Leaves::new(vec![block], levels).unwrap()
    }

    fn nodes(layer: &Layer) -> [Vec<EF>; 2] {
        [&layer.numerators, &layer.denominators].map(|values| values.to_scalars())
    }

    #[test]
    fn a_layer_is_the_same_whether_it_was_made_at_once_or_is_made_when_it_is_taken() {
        let levels = LEAST_LEVELS + 1;
        for lowest in 0..3 {
            for level in 1..=levels {
                let mut whole = Layers::new(leaves(levels).layer(0)).unwrap();
                let mut layers = Layers::from_height(leaves(levels), lowest, LOG_WRITTEN);
                assert_eq!(nodes(&layers.take(level).unwrap()), nodes(&whole.take(level).unwrap()));
                // It is used up, and layers below it are not.
                assert!(layers.take(level).is_none() && layers.take(level - 1).is_none());
                if level < levels {
                    assert_eq!(nodes(&layers.take(levels).unwrap()), nodes(&whole.take(levels).unwrap()));
                }
            }
            assert!(Layers::from_height(leaves(levels), lowest, LOG_WRITTEN).take(levels + 1).is_none());
        }
    }

    #[test]
    fn a_large_tree_begins_where_all_further_layers_are_as_many_nodes_as_are_written() {
        let expected = [
            (LEAST_LEVELS - 1, LOG_WRITTEN, 0),
            (LARGE_LEVELS - 1, 1, 1),
            (LARGE_LEVELS, LOG_WRITTEN, 2),
            (30, 26, 5),
            (26, 20, 7),
            (26, 0, 26 - LEAST_LEVELS),
        ];
        for (levels, log_written, height) in expected {
            assert_eq!(lowest(levels, log_written), height);
        }
    }

    #[test]
    fn leaves_are_summed_once() {
        let (levels, z) = (LEAST_LEVELS, elements(3, LEAST_LEVELS - 1));
        let mut layers = Layers::from(leaves(levels));
        assert!(layers.sums(&z, element(4)).is_some());
        assert!(layers.sums(&z, element(4)).is_none() && layers.take(1).is_none());
    }
}
