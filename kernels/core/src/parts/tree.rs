//! A part of the tree: of 2^s parts, part q has the nodes x = q mod 2^s of every layer, its local x >> s.
//!
//! A node's children (0, x) and (1, x) differ in the top bit, so a part is a tree; and
//! eq(z, x) = eq(z[..l - s], x >> s) eq(z[l - s..], q), so that its sums in a layer of 2^l nodes are those of
//! its local layer times eq(z[l - s..], q), for the l - s rounds that bind top bits.

use crate::error::{Error, Result};
use crate::field::EF;
use crate::logup::sums::LayerSums;
use crate::logup::{Layer, Layers};
use crate::parts::residue::Residue;
use crate::poly::eq::eq_index;

const NO_LAYER: Error = Error::Shape("a part of a fraction tree does not have this layer");

/// A part's layers, used up from the top of the tree to its leaves.
pub struct FractionPart {
    layers: Layers,
    part: Residue,
    running: Option<Running>,
}

/// The layer whose rounds are running.
struct Running {
    sums: LayerSums,
    scale: EF,
}

impl FractionPart {
    /// A part of a tree of 2^`levels` leaves, from its layers.
    ///
    /// # Errors
    /// [`Error::Shape`] where a part has not as many leaves.
    pub fn new(layers: Layers, levels: usize, part: Residue) -> Result<Self> {
        if levels.checked_sub(part.log_parts) != Some(layers.levels()) {
            return Err(Error::Shape("these are not the layers of a part of a fraction tree"));
        }
        Ok(Self { layers, part, running: None })
    }

    /// The part's nodes of the layer of 2^`level` nodes, which is used up.
    ///
    /// # Errors
    /// [`Error::Shape`] where the part has fewer than two of its nodes, or where it is used up.
    pub fn layer(&mut self, level: usize) -> Result<Layer> {
        level.checked_sub(self.part.log_parts).and_then(|local| self.layers.take(local)).ok_or(NO_LAYER)
    }

    /// Begins the rounds of the layer of 2^|z| nodes, whose children are used up; returns the part's share
    /// of t(0), or of t(1) where z_i = 0 makes t(0) the claim itself, and of c_2.
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`FractionPart::layer`], and where the part has one node of the layer only.
    pub fn start(&mut self, z: &[EF], lambda: EF) -> Result<[EF; 2]> {
        let local = z.len().checked_sub(self.part.log_parts).filter(|&local| local > 0);
        let local = local.ok_or(Error::Shape("a part has too few nodes of a layer for its rounds"))?;
        let (local_point, part_point) = z.split_at(local);
        let sums = self.layers.sums(local_point, lambda).ok_or(NO_LAYER)?;
        let running = self.running.insert(Running { sums, scale: eq_index(part_point, self.part.index) });
        Ok(running.round())
    }

    /// Binds the current variable to `r` and returns the next round's sums, as [`FractionPart::start`] does.
    ///
    /// # Errors
    /// [`Error::Shape`] where no layer is begun, or where a next variable is not the part's to bind.
    pub fn fold(&mut self, r: EF) -> Result<[EF; 2]> {
        let running = self.running.as_mut().filter(|running| running.sums.variables() > 1);
        let running = running.ok_or(Error::Shape("a part of a fraction tree has no such round"))?;
        running.sums.fold(r);
        Ok(running.round())
    }

    /// Binds the current variable to `r` and returns what remains of p0, p1, q0, q1: the layer is done.
    ///
    /// # Errors
    /// [`Error::Shape`] where no layer is begun.
    pub fn gather(&mut self, r: EF) -> Result<[Vec<EF>; 4]> {
        let running = self.running.take().ok_or(Error::Shape("a part has begun no layer"))?;
        let mut sums = running.sums;
        sums.fold(r);
        Ok(sums.into_children())
    }
}

impl Running {
    fn round(&self) -> [EF; 2] {
        self.sums.round().map(|sum| sum * self.scale)
    }
}
