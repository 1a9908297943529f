"""All mutants, from the verifier's outside to the kernels."""

from tests.mutation.mutants import Source
from tests.mutation.sources.arg_maxima import ARG_MAXIMA
from tests.mutation.sources.closed_forms import CLOSED_FORMS
from tests.mutation.sources.expressions import EXPRESSIONS
from tests.mutation.sources.files import FILES
from tests.mutation.sources.hashes import HASHES
from tests.mutation.sources.hidden import HIDDEN_TENSORS
from tests.mutation.sources.hiding import HIDING
from tests.mutation.sources.kernels import KERNELS
from tests.mutation.sources.keys import KEYS
from tests.mutation.sources.lookups import LOOKUPS
from tests.mutation.sources.opening import OPENING
from tests.mutation.sources.parameters import PARAMETERS
from tests.mutation.sources.public_selections import PUBLIC_SELECTIONS
from tests.mutation.sources.statements import STATEMENTS
from tests.mutation.sources.systems import SYSTEMS

SOURCES: tuple[Source, ...] = (
    *STATEMENTS, *OPENING, *HIDING, *HIDDEN_TENSORS, *EXPRESSIONS, *LOOKUPS, *FILES, *KEYS, *SYSTEMS,
    *ARG_MAXIMA, *PUBLIC_SELECTIONS, *PARAMETERS, *HASHES, *KERNELS, *CLOSED_FORMS,
)  # fmt: skip
