"""Makes a model with random weights, or one that learnt random data, as today's exporters write it.

Networks of torchvision, a U-Net and a detector are exported by `torch.onnx.export`. Two batches in
training mode set the statistics of batch normalisation, so activations stay of order 1. Models of
scikit-learn, XGBoost and LightGBM learn three classes of 20 features, and converters export them. Beside
model.onnx, 16 calibration samples are written. `exported.txt` lists what this needs.

Example:
    python assets/scripts/exported.py resnet50 resnet50
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torchvision
from classifiers import CLASSIFIERS, Values
from detector import Detector
from sklearn.datasets import make_classification
from torch import nn
from unet import UNet

SAMPLES, FEATURES, CLASSES = 16, 20, 3
NETWORKS = {"unet": (UNet, 128), "detector": (Detector, 224)}


def images(count: int, side: int, seed: int) -> Values:
    """Smooth waves with edges and noise, of any contrast; mean about 0 and deviation about 1."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((side, side)) / side
    angles, phases = rng.normal(0.0, 8.0, (count, 3, 4, 2)), rng.uniform(0.0, 2 * np.pi, (count, 3, 4))
    waves = angles[..., 0, None, None] * rows + angles[..., 1, None, None] * columns
    smooth = np.sin(waves + phases[..., None, None]).sum(axis=2)
    contrast = rng.uniform(0.2, 1.0, (count, 1, 1, 1))
    values = contrast * (0.5 * smooth + 0.5 * np.sign(smooth)) + rng.normal(0.0, 0.1, smooth.shape)
    result: Values = values.astype(np.float32)
    return result


def torch_network(name: str) -> tuple[nn.Module, int]:
    """A network, and the side of its images."""
    if name in NETWORKS:
        make, side = NETWORKS[name]
        return make(), side
    return torchvision.models.get_model(name, weights=None), 224


def export_network(name: str, folder: Path, seed: int) -> Values:
    """Writes the network, as `torch.onnx.export` does without any option. Returns samples."""
    torch.manual_seed(seed)
    network, side = torch_network(name)
    network.train()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None  # the mean of all batches
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)
        for batch in range(2):
            network(torch.from_numpy(images(16, side, seed + 1 + batch)))
    network.eval()
    samples = images(SAMPLES, side, seed)
    torch.onnx.export(network, (torch.from_numpy(samples[:1]),), str(folder / "model.onnx"))
    return np.expand_dims(samples, 1)


def export_classifier(name: str, folder: Path, seed: int) -> Values:
    """Learns and writes a classifier. Returns samples."""
    x, y = make_classification(1000, FEATURES, n_informative=10, n_classes=CLASSES, random_state=seed)
    x = x.astype(np.float32)
    onnx.save(CLASSIFIERS[name](x, y, seed), folder / "model.onnx")
    return np.expand_dims(x[:SAMPLES], 1)


def main() -> None:
    """Writes model.onnx and calibration.npz."""
    parser = argparse.ArgumentParser(description="Make a model as today's exporters write it.")
    parser.add_argument("name", help=f"unet, detector, {', '.join(CLASSIFIERS)}, or a name of torchvision")
    parser.add_argument("folder", type=Path, help="folder for the files")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    export = export_classifier if options.name in CLASSIFIERS else export_network
    samples = export(options.name, options.folder, options.seed)
    model = onnx.load(options.folder / "model.onnx", load_external_data=False)
    arrays: dict[str, Any] = {model.graph.input[0].name: samples}
    np.savez(options.folder / "calibration.npz", **arrays)


if __name__ == "__main__":
    main()
