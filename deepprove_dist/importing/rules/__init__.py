"""One module for each family of ONNX operators: what of them is supported, and the float nodes they mean.

To support an operator, write a module here with a tuple ``RULES``; nothing else lists it. Several modules may
have rules for one operator, for forms of it. They are asked in the order of the modules' names, until one
rewrites the node. A module may also have a tuple ``REFUSALS`` of operators that are known and not supported.
Operators on constants alone need no rule: they are computed in advance.
"""

from collections import defaultdict
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from deepprove_dist.importing.rewriting.rule import Refusal, Rule, joined

MODULES = tuple(import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))

_FORMS: defaultdict[str, list[Rule]] = defaultdict(list)
for _rule in (rule for module in MODULES for rule in getattr(module, "RULES", ())):
    _FORMS[_rule.operator].append(_rule)

RULES: Mapping[str, Rule] = MappingProxyType({name: joined(rules) for name, rules in _FORMS.items()})
REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {refusal.operator: refusal for module in MODULES for refusal in getattr(module, "REFUSALS", ())}
)


def is_random(operator: str) -> bool:
    """Whether what an operator computes is no function of its inputs."""
    statement = RULES.get(operator) or REFUSALS.get(operator)
    return statement is not None and statement.random


def depends_on_shape(operator: str) -> bool:
    """Whether what an operator computes depends on the shape of its input alone."""
    return operator in RULES and RULES[operator].of_shape


def evaluated_as(operator: str) -> int | None:
    """The opset in whose version constants are computed; None for that of the model."""
    return RULES[operator].evaluated_as if operator in RULES else None
