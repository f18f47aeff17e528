"""`palestra networks`: what agents can see and think with."""

from collections.abc import Sequence

from palestra.cli.agents import no_arguments


def main(args: Sequence[str]) -> int:
    """Prints the networks, a line each."""
    no_arguments("networks", args)
    from palestra.networks import NETWORKS

    width = max(map(len, NETWORKS))
    for name, entry in NETWORKS.items():
        print(f"{name:<{width}}  {entry.what}")
    return 0
