"""A tiny causal language model: one head of attention over embedded tokens, and scores of all tokens.

Its weights are random, and large enough that answers depend on several positions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from deepprove_dist.samples import Samples

VOCABULARY, LENGTH, WIDTH = 40, 8, 6
IDS, MASK, SCORES = "input_ids", "attention_mask", "logits"

ATTENTION = """e = Gather (words, input_ids) x = Add (e, positions)
    q = MatMul (x, wq) k = MatMul (x, wk) v = MatMul (x, wv)
    t = Transpose <perm=[0,2,1]> (k) d = MatMul (q, t) s = Div (d, root)"""
HEAD = "p = Softmax (a) c = MatMul (p, v) r = Add (x, c) logits = MatMul (r, head)"
CAUSAL = "a = Where (lower, s, least)"
EVERYWHERE = "b = Neg (s) a = Neg (b)"
PADDED = """m = Cast <to=9> (attention_mask) f = Reshape (m, shape) both = And (lower, f)
    a = Where (both, s, least)"""


def token_model(
    *, masked: bool = False, causal: bool = True, tied: tuple[int, int] | None = None, seed: int = 0
) -> onnx.ModelProto:
    """Tokens [1, LENGTH] to scores [1, LENGTH, VOCABULARY].

    With `masked` there is a second input, 1 where a token counts. The two tokens `tied` have the same scores.
    """
    generator = np.random.default_rng(seed)
    mask = f", int64[1,{LENGTH}] {MASK}" if masked else ""
    softmax = PADDED if masked else CAUSAL if causal else EVERYWHERE
    source = onnx.parser.parse_model(
        f'<ir_version: 8, opset_import: ["": 17]> tokens (int64[1,{LENGTH}] {IDS}{mask}) => '
        f"(float[1,{LENGTH},{VOCABULARY}] {SCORES}) {{ {ATTENTION} {softmax} {HEAD} }}"
    )
    constants = {
        "words": generator.normal(size=(VOCABULARY, WIDTH)),
        "positions": generator.normal(size=(1, LENGTH, WIDTH)),
        **{name: generator.normal(size=(WIDTH, WIDTH)) for name in ("wq", "wk", "wv")},
        "head": generator.normal(size=(WIDTH, VOCABULARY)),
        "root": np.sqrt(WIDTH),
        "least": np.finfo(np.float32).min,
    }
    if tied is not None:
        constants["head"][:, tied[1]] = constants["head"][:, tied[0]]
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.asarray(values, dtype=np.float32) for name, values in constants.items()
    }
    arrays["lower"] = np.tril(np.ones((1, LENGTH, LENGTH), dtype=np.bool_))
    arrays["shape"] = np.array([1, 1, LENGTH])
    used = {name for node in source.graph.node for name in node.input}
    for name, values in arrays.items():
        if name in used:
            source.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return source


def token_samples(*, masked: bool = False, count: int = 40) -> Samples:
    """Random tokens, every one among them; with masks, of which each counts some first positions."""
    generator = np.random.default_rng(1)
    ids = generator.integers(0, VOCABULARY, (count, 1, LENGTH)).astype(np.float64)
    ids[0, 0, :2] = 0, VOCABULARY - 1
    if not masked:
        return Samples({IDS: ids}, None)
    lengths = generator.integers(1, LENGTH + 1, count)
    counted = (np.arange(LENGTH) < lengths[:, None]).astype(np.float64)
    return Samples({IDS: ids, MASK: counted[:, None]}, None)


def write_tokenizer(path: Path) -> Path:
    """A tokenizer.json of VOCABULARY words: a, b, ... and the last one special."""
    tokenizers = pytest.importorskip(
        "tokenizers", reason="needs tokenizers: pip install 'deepprove-dist[text]'"
    )
    words = {f"w{token}": token for token in range(VOCABULARY - 1)}
    words["</s>"] = VOCABULARY - 1
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="w0"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["</s>"])
    tokenizer.save(str(path))
    return path
