"""`palestra networks`: what agents can see and think with."""

from collections.abc import Sequence

from palestra.cli.agents import no_arguments


def main(args: Sequence[str]) -> int:
    """Prints the networks and then the generative models, a line each."""
    no_arguments("networks", args)
    from palestra.cli import markov_text
    from palestra.networks import MODELS, NETWORKS

    listed = {name: entry.what for name, entry in (NETWORKS | MODELS).items()} | {markov_text.NAME: markov_text.WHAT}
    width = max(map(len, listed))
    for name, what in listed.items():
        print(f"{name:<{width}}  {what}")
    return 0
