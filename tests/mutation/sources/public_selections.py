"""Rows of weights that public indices select."""

from tests.mutation.mutants import Mutant, source

SYSTEM = ("protocol/system/test_public_selection.py",)
MODEL = ("model/test_rows_by_input.py",)

STATED = source(
    "deepprove_dist/protocol/system/public_selection.py",
    SYSTEM,
    Mutant("nothing hides an input", " and not system.is_hidden(public)]", "]"),
    Mutant("it is one of the inputs", "or len(publics) != 1 or", "or"),
    Mutant("a map says nothing else", " or axis != IndexMap.of_input(axis.axes, name)", ""),
    Mutant("samples come first", "sizes[:1] == [BATCH] and ", ""),
    Mutant(
        "each integer has a position",
        " and prod(sizes[1:]) == prod(publics[0].shape)",
        "",
    ),
    Mutant(
        "negative numbers are those of the field",
        "element if element <= LARGEST_SIGNED else",
        "element if True else",
    ),
    Mutant("negative indices count from the end", "number if number >= 0 else number + size", "number"),
    Mutant("others select nothing", "index if 0 <= index < size else -1", "index % size"),
)

READ_OFF = source(
    "deepprove_dist/model/rows_by_input.py",
    MODEL,
    Mutant("hidden inputs select nothing", " if tensor.name not in hidden.inputs}", "}"),
    Mutant("the multiplier is 1", "if multiplier != 1:", "if False:"),
    Mutant("the ramp falls by 1", " or (ramp != -np.arange(size)).any()", ""),
    Mutant("distances are not shifted", "if shift != 0 or", "if"),
    Mutant(
        "ones stand at the distances of an index alone",
        "bool((table.apply(distances) == ((distances == 0) | (distances == -size))).all())",
        "True",
    ),
    Mutant(
        "outputs are computed", "needed = {tensor.name for tensor in model.outputs}", "needed = set[str]()"
    ),
)

PUBLIC_SELECTIONS = (STATED, READ_OFF)
