"""Networks on boards that runs have saved, checked against what is wanted of them."""

from torch import nn

from palestra.networks.pretrained import from_pretrained, read_config

POLICIES = ("alphago-sl", "alphago-rl")  # agents whose networks give logits of moves
HOW = {
    "alphago-sl": "palestra train alphago-sl --games PATH",
    "alphago-value": "palestra train alphago-value --games PATH",
}


def board_network(
    path: str, agents: tuple[str, ...], size: int | None = None, features: str | None = None
) -> tuple[nn.Module, str]:
    """Loads a saved network for boards of a size, or of any, and says which planes it sees.

    `features` says which it must see, where that matters.

    Raises:
        ValueError: there is none (the command that makes one is named), it is no network of such an agent, of another
            size of board, or it sees other planes.
    """
    try:
        config = read_config(path)
    except ValueError as error:
        raise ValueError(f"{error}; `{HOW[agents[0]]}` makes one") from None
    about, trained = config["about"], config.get("image_size", [0])[0]
    if about.get("agent") not in agents:
        wanted = " or ".join(agents)
        raise ValueError(f"{path} has a network of {about.get('agent', 'no agent')}, but one of {wanted} is wanted")
    if size not in (None, trained):
        raise ValueError(f"{path} was trained on {trained}x{trained}, but {size}x{size} is played")
    seen = str(about["features"])
    if features not in (None, seen):
        raise ValueError(
            f"{path} sees the planes {seen}, but the environment shows {features}: --env-kwargs features={seen}"
        )
    return from_pretrained(path), seen
