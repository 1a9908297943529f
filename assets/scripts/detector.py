"""A detector like YOLO: SiLU, blocks that split channels, pools at three scales, rectangles and scores."""

from __future__ import annotations

import torch
from torch import nn


def conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> nn.Sequential:
    """A convolution, its normalisation and SiLU."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.SiLU())


class Split(nn.Module):  # type: ignore[misc]
    """Half of the channels pass; a residual block makes more of the other half."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, half = conv(inputs, outputs), outputs // 2
        self.block = nn.Sequential(conv(half, half, 3), conv(half, half, 3))
        self.last = conv(3 * half, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """All channels again."""
        passed, worked = self.first(x).chunk(2, dim=1)
        return self.last(torch.cat([passed, worked, worked + self.block(worked)], dim=1))


class Pyramid(nn.Module):  # type: ignore[misc]
    """Max pools of one another, side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.last = conv(channels, channels // 2), conv(2 * channels, channels)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Four levels, mixed."""
        levels = [self.first(x)]
        for _ in range(3):
            levels.append(self.pool(levels[-1]))
        return self.last(torch.cat(levels, dim=1))


class Detector(nn.Module):  # type: ignore[misc]
    """Rectangles [batch, 4, cells] in pixels, from distributions of 16 bins, and scores of 20 classes."""

    bins, classes = 16, 20

    def __init__(self, w: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, w, 3, 2), conv(w, 2 * w, 3, 2), Split(2 * w, 2 * w))
        self.middle = nn.Sequential(conv(2 * w, 4 * w, 3, 2), Split(4 * w, 4 * w))
        self.low = nn.Sequential(conv(4 * w, 8 * w, 3, 2), Split(8 * w, 8 * w), Pyramid(8 * w))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = Split(12 * w, 4 * w)
        outputs = 4 * self.bins + self.classes
        self.heads = nn.ModuleList(
            nn.Sequential(conv(c, 4 * w, 3), nn.Conv2d(4 * w, outputs, 1)) for c in (4 * w, 8 * w)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Rectangles and scores of all cells."""
        middle = self.middle(self.stem(x))
        low = self.low(middle)
        merged = self.merge(torch.cat([self.up(low), middle], dim=1))
        results = []
        for head, level, stride in zip(self.heads, (merged, low), (8, 16), strict=True):
            y = head(level)
            batch, _, rows, columns = y.shape
            distances, scores = y.flatten(2).split((4 * self.bins, self.classes), dim=1)
            shares = distances.view(batch, 4, self.bins, rows * columns).softmax(dim=2)
            sides = (shares * torch.arange(self.bins).float().view(1, 1, -1, 1)).sum(dim=2)
            grid = torch.meshgrid(torch.arange(rows) + 0.5, torch.arange(columns) + 0.5, indexing="ij")
            centres = torch.stack([grid[1].flatten(), grid[0].flatten()])
            before, after = sides.chunk(2, dim=1)
            begins, ends = centres - before, centres + after
            corners = torch.cat([(begins + ends) / 2, ends - begins], dim=1) * stride
            results.append(torch.cat([corners, scores.sigmoid()], dim=1))
        return torch.cat(results, dim=2)
