"""Trains a multi-layer perceptron on Iris, as scikit-learn ships it, and exports it as ONNX.

Features are scaled to [-1, 1] by the range of the training part. Training is seeded: the same versions of
the packages give the same network.

Example:
    python assets/scripts/mlp.py --dense 4 --width 128 iris_d4_w128
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_iris
from torch import nn
from training import Data, Values, export, split, train

TEST_SHARE = 0.2


def load(seed: int) -> Data:
    """Iris in two parts: 120 samples to train with, 30 held out."""
    iris = load_iris()
    data = split(iris.data.astype(np.float32), iris.target.astype(np.int64), TEST_SHARE, seed)
    low, high = data.train_x.min(axis=0), data.train_x.max(axis=0)

    def scaled(x: Values) -> Values:
        # A held-out value may lie outside the training part's range, where nothing was calibrated.
        result: Values = np.clip(2 * (x - low) / (high - low) - 1, -1, 1).astype(np.float32)
        return result

    return Data(scaled(data.train_x), data.train_y, scaled(data.test_x), data.test_y, data.classes)


def main() -> None:
    """Writes the network and its samples."""
    parser = argparse.ArgumentParser(description="Train a multi-layer perceptron on Iris.")
    parser.add_argument("directory", type=Path, help="folder for the files")
    parser.add_argument("--dense", type=int, default=1, help="hidden layers (default: %(default)s)")
    parser.add_argument("--width", type=int, default=10, help="of a hidden layer (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=30, help="in input.json (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    data = load(options.seed)
    widths = [data.train_x.shape[1], *[options.width] * options.dense]
    hidden = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU())]
    network = nn.Sequential(*hidden, nn.Linear(widths[-1], data.classes))
    train(network, data, epochs=200, batch=32, rate=3e-3, seed=options.seed)
    print(f"trained on Iris: {export(network, data, options.directory, options.samples)}")


if __name__ == "__main__":
    main()
