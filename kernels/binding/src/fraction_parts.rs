//! The fraction tree by parts: a worker's part, and the coordinator that lends the transcript.

use deepprove_kernels::error::Result;
use deepprove_kernels::field::EF;
use deepprove_kernels::logup::LOG_WRITTEN;
use deepprove_kernels::parts::residue::Residue;
use deepprove_kernels::parts::rounds;
use deepprove_kernels::parts::tree;
use pyo3::prelude::*;

use crate::fraction::{FractionLeaves, Sent, sent};
use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::ExtensionVector;

/// The nodes of one part of every layer.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct FractionPart {
    tree: tree::FractionPart,
    leaves: usize,
}

impl FractionPart {
    fn call<R: Send>(
        &mut self,
        py: Python<'_>,
        pool: &Pool,
        call: impl FnOnce(&mut tree::FractionPart) -> Result<R> + Send,
    ) -> PyResult<R> {
        py.detach(|| pool.0.run(self.leaves, || call(&mut self.tree))).map_err(raise)
    }
}

#[pymethods]
impl FractionPart {
    /// `leaves` are those of `part` = (log of the number of parts, index): leaf x of the tree of
    /// 2^`levels` is leaf x >> log of the part. At most 2^`log_written` nodes are written at once.
    #[new]
    #[pyo3(signature = (leaves, levels, part, pool, log_written=LOG_WRITTEN))]
    fn new(
        py: Python<'_>,
        leaves: &FractionLeaves,
        levels: usize,
        part: (usize, usize),
        pool: &Pool,
        log_written: usize,
    ) -> PyResult<Self> {
        let part = Residue::new(part.0, part.1).map_err(raise)?;
        let local = levels.saturating_sub(part.log_parts);
        let build = || tree::FractionPart::new(leaves.written(local, log_written)?, levels, part);
        let leaves = 1 << local.min(32);
        Ok(Self { tree: py.detach(|| pool.0.run(leaves, build)).map_err(raise)?, leaves })
    }

    /// The numerators, then the denominators, of the part's nodes of the layer of 2^level nodes.
    fn layer(&mut self, level: usize) -> PyResult<ExtensionVector> {
        let layer = self.tree.layer(level).map_err(raise)?;
        Ok(ExtensionVector([layer.numerators.to_scalars(), layer.denominators.to_scalars()].concat()))
    }

    /// Begins a layer; the part's share of the first round's sums.
    fn start(
        &mut self,
        py: Python<'_>,
        z: &ExtensionVector,
        batching: Extension,
        pool: &Pool,
    ) -> PyResult<ExtensionVector> {
        let sums = self.call(py, pool, |tree| tree.start(&z.0, batching.0))?;
        Ok(ExtensionVector(sums.to_vec()))
    }

    /// Binds a variable; the part's share of the next round's sums.
    fn fold(&mut self, py: Python<'_>, r: Extension, pool: &Pool) -> PyResult<ExtensionVector> {
        let sums = self.call(py, pool, |tree| tree.fold(r.0))?;
        Ok(ExtensionVector(sums.to_vec()))
    }

    /// Binds a variable and ends the layer; what remains of p0, p1, q0, q1, one after the other.
    fn gather(&mut self, py: Python<'_>, r: Extension, pool: &Pool) -> PyResult<ExtensionVector> {
        let children = self.call(py, pool, |tree| tree.gather(r.0))?;
        Ok(ExtensionVector(children.concat()))
    }
}

/// The coordinator's side; parts are in their order.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct FractionRounds(rounds::FractionRounds);

fn slices<'a>(parts: &'a [PyRef<'_, ExtensionVector>]) -> Vec<&'a [EF]> {
    parts.iter().map(|part| part.0.as_slice()).collect()
}

#[pymethods]
impl FractionRounds {
    #[new]
    fn new(levels: usize, pads: ExtensionVector) -> PyResult<Self> {
        rounds::FractionRounds::new(levels, pads.0).map(Self).map_err(raise)
    }

    /// Proves all layers above the one that the parts have sent.
    fn top(
        &mut self,
        py: Python<'_>,
        parts: Vec<PyRef<'_, ExtensionVector>>,
        transcript: &mut Transcript,
        pool: &Pool,
    ) -> PyResult<()> {
        let parts = slices(&parts);
        let steps = parts.iter().map(|part| part.len()).sum();
        py.detach(|| pool.0.run(steps, || self.0.top(&parts, &mut transcript.0))).map_err(raise)
    }

    /// Begins the next layer: its point, and the challenge that its denominators are weighed with.
    fn start(&mut self, transcript: &mut Transcript) -> PyResult<(ExtensionVector, Extension)> {
        let (z, lambda) = self.0.start(&mut transcript.0).map_err(raise)?;
        Ok((ExtensionVector(z), Extension(lambda)))
    }

    /// A round from the sums of all parts; its challenge.
    fn round(
        &mut self,
        sums: Vec<PyRef<'_, ExtensionVector>>,
        transcript: &mut Transcript,
    ) -> PyResult<Extension> {
        self.0.round(&slices(&sums), &mut transcript.0).map(Extension).map_err(raise)
    }

    /// Checks what remains of a layer against its claim, and proves what follows.
    fn finish(
        &mut self,
        py: Python<'_>,
        parts: Vec<PyRef<'_, ExtensionVector>>,
        transcript: &mut Transcript,
        pool: &Pool,
    ) -> PyResult<()> {
        let parts = slices(&parts);
        let steps = parts.iter().map(|part| part.len()).sum();
        py.detach(|| pool.0.run(steps, || self.0.finish(&parts, &mut transcript.0))).map_err(raise)
    }

    /// Values sent, point, numerator and denominator there.
    fn result(&self) -> PyResult<Sent> {
        self.0.result().map(|proof| sent(proof.clone())).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("LOG_WRITTEN", LOG_WRITTEN)?;
    module.add_class::<FractionPart>()?;
    module.add_class::<FractionRounds>()
}
