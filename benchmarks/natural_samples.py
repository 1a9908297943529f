"""Samples with the structure of what models meet: pages of text, pictures, speech, files.

Networks map noise to nearly constant outputs, and an error over the spread of those says nothing.
Letters are drawn by Pillow, which matplotlib brings.
"""

import string
import sysconfig
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from deepprove_dist.arrays import FloatArray, Shape

SAMPLES_A_SECOND = 16000


def _words(generator: np.random.Generator, count: int) -> str:
    letters = list(string.ascii_letters + string.digits)
    return " ".join("".join(generator.choice(letters, generator.integers(2, 9))) for _ in range(count))


def _page(generator: np.random.Generator, size: tuple[int, int], height: int, lines: int) -> Image.Image:
    """Lines of text in one colour on another, `height` pixels high, in an image of (rows, columns)."""
    dark, light = generator.integers(0, 90, 3), generator.integers(150, 256, 3)
    ink, paper = (dark, light) if generator.random() < 0.7 else (light, dark)
    image = Image.new("RGB", (size[1], size[0]), tuple(int(part) for part in paper))
    drawing = ImageDraw.Draw(image)
    for line in range(lines):
        top = (line + 0.5) * size[0] / lines - 0.6 * height
        left = generator.uniform(0.02, 0.2) * size[1]
        font = ImageFont.load_default(height * generator.uniform(0.8, 1.1))
        colour = tuple(int(part) for part in ink)
        drawing.text((left, top), _words(generator, int(generator.integers(1, 4))), fill=colour, font=font)
    return image


def _in_channels(image: Image.Image, generator: np.random.Generator) -> FloatArray:
    """[3, rows, columns] in [-1, 1], with the noise of a camera."""
    values = np.asarray(image, dtype=np.float64).transpose(2, 0, 1) / 127.5 - 1
    noisy: FloatArray = np.clip(values + generator.normal(0, 0.02, values.shape), -1, 1)
    return noisy


def text_line(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """A line of text."""
    page = _page(generator, (shape[-2], shape[-1]), shape[-2] * 2 // 3, 1)
    return _in_channels(page, generator).reshape(shape)


def turned_text_line(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """A line of text, upside down in half of the samples."""
    values = text_line(generator, shape)
    return values[..., ::-1, ::-1] if generator.random() < 0.5 else values


def text_page(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """A page of a few lines of text of one size."""
    lines = int(generator.integers(2, 9))
    height = int(shape[-2] / lines * generator.uniform(0.3, 0.7))
    return _in_channels(_page(generator, (shape[-2], shape[-1]), height, lines), generator).reshape(shape)


def picture(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """Shaded ellipses before a shaded background, in [0, 1]."""
    rows, columns = np.indices(shape[-2:]) / max(shape[-2:])
    image = generator.uniform(0.1, 0.9, (3, 1, 1)) + 0.3 * (
        generator.normal() * rows + generator.normal() * columns
    )
    for _ in range(int(generator.integers(4, 16))):
        middle, radii = generator.uniform(0, 1, 2), generator.uniform(0.03, 0.35, 2)
        distances = np.square((rows - middle[0]) / radii[0]) + np.square((columns - middle[1]) / radii[1])
        shade = generator.uniform(0, 1, (3, 1, 1)) * (1 - 0.5 * np.minimum(distances, 1))
        image = np.where(distances < 1, shade, image)
    noisy: FloatArray = np.clip(image + generator.normal(0, 0.02, image.shape), 0, 1)
    return noisy.reshape(shape)


def speech(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """Voiced sound: harmonics of a gliding pitch under formants; in a third, a quiet room."""
    times = np.arange(shape[-1]) / SAMPLES_A_SECOND
    noise = generator.normal(0, generator.uniform(0.001, 0.01), shape)
    if generator.random() < 1 / 3:
        return noise
    pitch = generator.uniform(90, 250)
    phase = 2 * np.pi * (pitch * times + generator.uniform(-500, 500) * np.square(times))
    formants = generator.uniform((250, 800, 2000), (800, 2000, 3200))
    voice = np.zeros(shape[-1])
    for harmonic in range(1, int(4000 / pitch)):
        distances = (harmonic * pitch - formants) / 120
        voice += (np.exp(-np.abs(distances)).sum() + 0.02) * np.sin(
            harmonic * phase + generator.uniform(0, 6)
        )
    loudness = generator.uniform(0.05, 0.6) / np.abs(voice).max()
    values: FloatArray = (loudness * voice + noise).clip(-1, 1)
    return values


def file_ends(generator: np.random.Generator, shape: Shape) -> FloatArray:
    """The first and the last bytes of a file of Python's standard library, or of one made of random words."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    kinds = ["*.py", "*/*.py", "*/*.pyc", "*/*.so", "*/*.txt", "*/*.xml", "*/*.html", "*/*.exe"]
    files = sorted(folder.glob(str(generator.choice(kinds)))) or sorted(folder.glob("*.py"))
    content = files[int(generator.integers(len(files)))].read_bytes().strip()
    half = shape[-1] // 2
    first, last = content[:half], content[-half:]
    values = np.full(shape[-1], 256.0)
    values[: len(first)] = list(first)
    values[shape[-1] - len(last) :] = list(last)
    return values.reshape(shape)
