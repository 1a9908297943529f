"""Trains a convolutional network of LeNet's shape on images of 3 x 32 x 32 and exports it as ONNX.

The images are scikit-learn's handwritten digits, enlarged and with three equal channels. Where CIFAR-10's
binary version is on disk (--cifar10, or data/cifar-10-batches-bin), they are its images. All widths of
LeNet-5 (LeCun et al., 1998: 62,006 parameters for these images) are multiplied by one factor. It is the one
that comes closest to the number of parameters asked for.

Example:
    python assets/scripts/cnn.py --parameters 264031 cnn264k
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from training import Data, Labels, Values, export, split, train

LENET = (6, 16, 120, 84)
CHANNELS, SIZE, KERNEL, CLASSES = 3, 32, 5, 10
POOLED = ((SIZE - KERNEL + 1) // 2 - KERNEL + 1) // 2
TEST_SHARE = 0.2
CIFAR_FOLDER = Path("data/cifar-10-batches-bin")
CIFAR_RECORD = 1 + CHANNELS * SIZE * SIZE


def parameters(widths: tuple[int, ...]) -> int:
    """Weights and biases of the network with these widths."""
    first, second, third, fourth = widths
    shapes = [
        (first, CHANNELS * KERNEL**2),
        (second, first * KERNEL**2),
        (third, second * POOLED**2),
        (fourth, third),
        (CLASSES, fourth),
    ]
    return sum(outputs * (inputs + 1) for outputs, inputs in shapes)


def closest_widths(wanted: int) -> tuple[int, ...]:
    """LeNet's widths times the factor whose number of parameters comes closest."""
    # The last layer alone has 10 parameters for each of its inputs, so no factor beyond this can be closest.
    factors = np.arange(0.1, 2 + (wanted / parameters(LENET)) ** 0.5 * 2, 0.005)
    candidates = {tuple(max(1, round(factor * width)) for width in LENET) for factor in factors}
    return min(candidates, key=lambda widths: (abs(parameters(widths) - wanted), widths))


def load_enlarged_digits(seed: int) -> Data:
    """1,797 digits of 8 x 8, each pixel as 4 x 4 pixels."""
    digits = load_digits()
    images = np.kron(digits.images, np.ones((1, 4, 4)))[:, None].repeat(CHANNELS, axis=1)
    return split((images / 8 - 1).astype(np.float32), digits.target.astype(np.int64), TEST_SHARE, seed)


def load_cifar10(folder: Path) -> Data:
    """CIFAR-10's own two parts, from its binary version."""
    return Data(*_records(folder, "data_batch_*.bin"), *_records(folder, "test_batch.bin"), CLASSES)


def _records(folder: Path, pattern: str) -> tuple[Values, Labels]:
    """Images and labels of the files: a byte of label, then the image's bytes, and so on."""
    files = sorted(folder.glob(pattern))
    if not files:
        raise SystemExit(f"{folder} has no {pattern}; it takes CIFAR-10's binary version")
    records = np.concatenate([np.fromfile(file, dtype=np.uint8) for file in files])
    records = records.reshape(-1, CIFAR_RECORD)
    images = records[:, 1:].reshape(-1, CHANNELS, SIZE, SIZE)
    return (images / 127.5 - 1).astype(np.float32), records[:, 0].astype(np.int64)


def main() -> None:
    """Writes the network and its samples."""
    parser = argparse.ArgumentParser(description="Train a convolutional network of LeNet's shape.")
    parser.add_argument("directory", type=Path, help="folder for the files")
    parser.add_argument("--parameters", type=int, default=62_006, help="default: %(default)s")
    parser.add_argument("--cifar10", type=Path, help=f"default: {CIFAR_FOLDER}, if it is there")
    parser.add_argument("--samples", type=int, default=30, help="in input.json (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    cifar10 = options.cifar10 or (CIFAR_FOLDER if CIFAR_FOLDER.is_dir() else None)
    data = load_cifar10(cifar10) if cifar10 else load_enlarged_digits(options.seed)
    first, second, third, fourth = closest_widths(options.parameters)
    network = nn.Sequential(
        *(nn.Conv2d(CHANNELS, first, KERNEL), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(first, second, KERNEL), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(),
        *(nn.Linear(second * POOLED**2, third), nn.ReLU()),
        *(nn.Linear(third, fourth), nn.ReLU()),
        nn.Linear(fourth, CLASSES),
    )
    train(network, data, epochs=10, batch=64, rate=2e-3, seed=options.seed)
    what = "CIFAR-10" if cifar10 else "handwritten digits"
    print(f"trained on {what}: {export(network, data, options.directory, options.samples)}")


if __name__ == "__main__":
    main()
