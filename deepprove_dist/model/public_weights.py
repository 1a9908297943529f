"""What a verifier of public weights reads from an integer model's file."""

from __future__ import annotations

from deepprove_dist.kernels import BaseVector
from deepprove_dist.model import file as model_file
from deepprove_dist.model.format import digest_bytes
from deepprove_dist.model.hidden_names import NOTHING_HIDDEN, HiddenNames
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key.weights import PublicWeights
from deepprove_dist.protocol.system.system import System


def read_public_weights(data: bytes, system: System | None = None) -> PublicWeights:
    """The model in a file, validated and lowered. It has the hidden inputs and outputs of a key's `system`.

    Raises InputError where it is no model, or has no such inputs or outputs.
    """
    model = model_file.load(data)
    hidden = NOTHING_HIDDEN if system is None else HiddenNames.of(system)
    lowered = lower(model, hidden=hidden)
    vectors = {
        tensor: BaseVector.from_array(model.constants[name].reshape(-1))
        for tensor, name in lowered.constants.items()
    }
    return PublicWeights(digest_bytes(data), lowered.system, vectors)
