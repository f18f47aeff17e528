"""Tables by name, and what is said where a name is not there."""

import difflib
from collections.abc import Mapping
from typing import Any


def named(name: str, table: Mapping[str, Any], what: str) -> Any:
    """Looks a name up.

    Raises:
        ValueError: it is not there; the nearest one is offered.
    """
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(table)}"
        raise ValueError(f"there is no {what} {name!r}; {hint}")
    return table[name]
