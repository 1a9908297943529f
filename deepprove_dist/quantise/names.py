"""Names of integer tensors: unique, and those of the ONNX outputs for the outputs."""

from collections.abc import Iterable


class NewNames:
    """Hands out names, each once."""

    def __init__(self, taken: Iterable[str]) -> None:
        """``taken``: the names of the model's inputs and outputs."""
        self._taken = set(taken)

    def fresh(self, preferred: str) -> str:
        """The preferred name, or with a number after it if it is taken."""
        name, count = preferred, 1
        while name in self._taken:
            name, count = f"{preferred}.{count}", count + 1
        self._taken.add(name)
        return name
