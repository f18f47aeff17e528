"""`palestra agents`: what can be trained."""

from collections.abc import Sequence

from palestra.agents import AGENTS


def main(args: Sequence[str]) -> int:
    """Prints the agents, a line each."""
    no_arguments("agents", args)
    width = max(map(len, AGENTS))
    for name, (_, _, what) in AGENTS.items():
        print(f"{name:<{width}}  {what}")
    return 0


def no_arguments(command: str, args: Sequence[str]) -> None:
    """Checks that a command that takes no arguments got none.

    Raises:
        ValueError: it got some.
    """
    if set(args) - {"-h", "--help"}:
        raise ValueError(f"`palestra {command}` takes no arguments, but {' '.join(args)!r} was given")
