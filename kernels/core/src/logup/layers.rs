//! The layers of a tree, from the root down to the leaves: each of them is used up by the rounds that pass it.

use super::Layer;
use super::leaves::Leaves;
use super::sums::LayerSums;
use crate::error::{Error, Result};
use crate::field::{EF, LOG_WIDTH};

/// Levels of a tree whose largest layers are made when they are needed: in smaller ones all layers together are a
/// few hundred megabytes.
const LARGE_LEVELS: usize = 22;

/// What is left of a tree.
pub struct Layers {
    levels: usize,
    /// The lowest of them first, and its distance from the leaves.
    made: Vec<Layer>,
    lowest: usize,
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
        Ok(Self { levels, made: leaves.with_ancestors(), lowest: 0, leaves: None })
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
        if z.len() + 1 == self.levels && self.lowest > 0 {
            self.made.clear();
            return Some(LayerSums::of_leaves(self.leaves.take()?, z, lambda));
        }
        Some(LayerSums::new(self.take(z.len() + 1)?, z, lambda))
    }
}

/// Leaves of eight packs or more are never written. Of a large tree the layer above them is made alone: it is half of
/// what all layers take.
impl From<Leaves> for Layers {
    fn from(leaves: Leaves) -> Self {
        let lowest = match leaves.levels() {
            ..LEAST_LEVELS => 0,
            LEAST_LEVELS..LARGE_LEVELS => 1,
            LARGE_LEVELS.. => 2,
        };
        Self::from_height(leaves, lowest)
    }
}

impl Layers {
    /// With the layers from `lowest` levels above the leaves on made at once.
    pub(super) fn from_height(leaves: Leaves, lowest: usize) -> Self {
        let (levels, made) = (leaves.levels(), leaves.layer(lowest).with_ancestors());
        Self { levels, made, lowest, leaves: (lowest > 0).then_some(leaves) }
    }
}

/// A quarter of so many leaves is two packs.
const LEAST_LEVELS: usize = LOG_WIDTH + 3;
