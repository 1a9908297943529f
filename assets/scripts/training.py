"""What the scripts that train the benchmark's models share: training, exporting, and files of samples.

A folder gets four files. `model.onnx` is the network. `calibration.npz` has samples of the training part
(`x`, `y`), to set ranges with. `test.npz` has all held-out samples (`x`, `y`). `input.json` has the first of
these as flat rows (`input_data`), with labels (`output_data`, one-hot). The float network's outputs are there
too (`pytorch_output`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

OPSET = 17
CALIBRATION_SAMPLES = 240

Values = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Samples [N, *shape] in [-1, 1] with labels [N]; the two parts have no sample in common."""

    train_x: Values
    train_y: Labels
    test_x: Values
    test_y: Labels
    classes: int


def split(x: Values, y: Labels, test_share: float, seed: int) -> Data:
    """Shuffles samples and sets some aside for tests, the same share of each class."""
    order = np.random.default_rng(seed).permutation(len(x))
    test: list[int] = []
    for label in np.unique(y):
        of_label = [int(index) for index in order if y[index] == label]
        test += of_label[: round(test_share * len(of_label))]
    held_out = set(test)
    # In shuffled order again, so that the first samples are of all classes.
    parts = [[index for index in order if (int(index) in held_out) == wanted] for wanted in (False, True)]
    train, tested = (np.array(part) for part in parts)
    return Data(x[train], y[train], x[tested], y[tested], len(np.unique(y)))


def train(network: Any, data: Data, *, epochs: int, batch: int, rate: float, seed: int) -> None:
    """Minimises cross entropy by Adam with a falling rate."""
    generator = torch.Generator().manual_seed(seed)
    inputs, labels = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    loss = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for places in torch.randperm(len(inputs), generator=generator).split(batch):
            optimiser.zero_grad()
            loss(network(inputs[places]), labels[places]).backward()
            optimiser.step()
        schedule.step()


def export(network: Any, data: Data, folder: Path, samples: int) -> str:
    """Writes the files of a trained network; returns a line about it."""
    folder.mkdir(parents=True, exist_ok=True)
    network.eval()
    with torch.no_grad():
        outputs = network(torch.from_numpy(data.test_x)).numpy()
    torch.onnx.export(
        network,
        (torch.from_numpy(data.test_x[:1]),),
        str(folder / "model.onnx"),
        input_names=["input"],
        output_names=["output"],
        opset_version=OPSET,
        dynamo=False,
    )
    few = slice(CALIBRATION_SAMPLES)
    np.savez_compressed(folder / "calibration.npz", x=data.train_x[few], y=data.train_y[few])
    np.savez_compressed(folder / "test.npz", x=data.test_x, y=data.test_y)
    first = slice(samples)
    content = {
        "input_data": data.test_x[first].reshape(len(data.test_x[first]), -1).tolist(),
        "output_data": np.eye(data.classes)[data.test_y[first]].tolist(),
        "pytorch_output": outputs[first].tolist(),
    }
    (folder / "input.json").write_text(json.dumps(content))
    accuracy = float((outputs.argmax(axis=1) == data.test_y).mean())
    parameters = sum(tensor.numel() for tensor in network.parameters())
    return f"{parameters:,} parameters, accuracy {accuracy:.3f} on {len(data.test_y)} held-out samples"
