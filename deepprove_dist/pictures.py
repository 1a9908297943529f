"""Charts as PNG files, drawn without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from deepprove_dist.errors import MissingPackageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = Mapping[str, Sequence[float | None]]
"""Values by the name in the legend, one for each label; None where there is none."""

LOGARITHMIC = 20
"""The ratio of bars from which their scale is logarithmic."""


def grouped_bars(title: str, unit: str, labels: Sequence[str], series: Series) -> Figure:
    """Bars side by side for each label; on a logarithmic scale where they differ too much for another."""
    figure, axes = _figure(title, unit, labels)
    width = 0.8 / max(len(series), 1)
    for number, (name, values) in enumerate(series.items()):
        centers = [label + (number - (len(series) - 1) / 2) * width for label in range(len(labels))]
        bars = axes.bar(centers, [value or 0.0 for value in values], width, label=name)
        axes.bar_label(bars, [_short(value) for value in values], fontsize=7)
    known = [value for values in series.values() for value in values if value]
    if known and max(known) > LOGARITHMIC * min(known):
        # A bar on such a scale has no natural foot; this one leaves the least bar visible.
        axes.set_yscale("log", nonpositive="clip")
        axes.set_ylim(bottom=min(known) / 3)
    axes.legend(fontsize=8)
    return figure


def stacked_bars(title: str, unit: str, labels: Sequence[str], series: Series) -> Figure:
    """One bar for each label, its parts on top of each other."""
    figure, axes = _figure(title, unit, labels)
    heights = [0.0] * len(labels)
    for (name, values), colour in zip(series.items(), cycle(_colours()), strict=False):
        parts = [value or 0.0 for value in values]
        axes.bar(range(len(labels)), parts, 0.6, bottom=heights, label=name, color=colour)
        heights = [height + part for height, part in zip(heights, parts, strict=True)]
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def lines(title: str, across: str, unit: str, places: Sequence[float], series: Series) -> Figure:
    """A line for each series over common places."""
    figure, axes = _figure(title, unit, None)
    for name, values in series.items():
        axes.plot(places, [float("nan") if value is None else value for value in values], "o-", label=name)
    axes.set_xlabel(across)
    axes.set_xticks(list(places))
    axes.legend(fontsize=8)
    return figure


def save(figure: Figure, file: Path) -> None:
    """Writes a PNG file, creating its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, format="png", dpi=120, bbox_inches="tight")


def require_matplotlib() -> None:
    """Raises MissingPackageError where there is no matplotlib: before hours of measuring, not after."""
    try:
        import matplotlib.figure  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise MissingPackageError("pictures need matplotlib: pip install matplotlib") from error


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _colours() -> Sequence[tuple[float, float, float, float]]:
    """Twenty colours: the usual ten are fewer than a prover's phases."""
    from matplotlib import colormaps

    return [colormaps["tab20"](number) for number in range(20)]


def _figure(title: str, unit: str, labels: Sequence[str] | None) -> tuple[Figure, Axes]:
    require_matplotlib()
    # The figure alone, without pyplot, needs no display and keeps no state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.5))
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_ylabel(unit)
    axes.grid(axis="y", alpha=0.3)
    if labels is not None:
        axes.set_xticks(range(len(labels)), labels, rotation=20, ha="right", fontsize=8)
    return figure, axes
