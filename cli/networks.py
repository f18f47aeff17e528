"""`palestra networks`: what agents can see and think with."""

from collections.abc import Sequence

from palestra.cli.agents import no_arguments


def main(args: Sequence[str]) -> int:
    """Prints the networks and then the generative models, a line each."""
    no_arguments("networks", args)
    from palestra.networks import MODELS, NETWORKS

    listed = NETWORKS | MODELS
    width = max(map(len, listed))
    for name, entry in listed.items():
        print(f"{name:<{width}}  {entry.what}")
    return 0
