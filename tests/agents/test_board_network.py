"""Saved networks on boards: loaded where they fit, else one sentence that names the command."""

from pathlib import Path

import pytest
import torch

from palestra.agents.board_network import POLICIES, board_network
from palestra.networks import create
from palestra.networks.pretrained import save_pretrained


def test_a_network_that_fits_is_loaded_and_others_are_refused(tmp_path: Path) -> None:
    net = create("board", in_channels=17, num_classes=26, image_size=(5, 5), width=4, blocks=1)
    path = str(tmp_path / "sl")
    save_pretrained(net, tmp_path / "sl" / "network", agent="alphago-sl", features="alphago-zero")
    loaded, features = board_network(path, POLICIES, 5, "alphago-zero")
    assert features == "alphago-zero"
    for name, value in net.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])
    for arguments, message in (
        (("none", POLICIES, 5), "no such folder; `palestra train alphago-sl --games PATH` makes one"),
        ((path, ("alphago-value",), 5), "has a network of alphago-sl, but one of alphago-value is wanted"),
        ((path, POLICIES, 9), "was trained on 5x5, but 9x9 is played"),
        ((path, POLICIES, 5, "stones"), "sees the planes alphago-zero, but the environment shows stones"),
    ):
        with pytest.raises(ValueError, match=message):
            board_network(*arguments)  # type: ignore[arg-type]
    save_pretrained(net, tmp_path / "plain" / "network")
    with pytest.raises(ValueError, match="has a network of no agent, but one of alphago-sl or alphago-rl is wanted"):
        board_network(str(tmp_path / "plain"), POLICIES, 5)
