"""The network of teams: what is not seen has no influence, memory."""

import pytest
import torch

from palestra.agents.team_network import TeamNetwork

SHAPES = {"me": (5,), "others": (3, 4), "things": (2, 6), "ranges": (8,)}


def observed(batch: int, time: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Draws observations."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(batch, time, *shape, generator=generator) for name, shape in SHAPES.items()}


def test_what_is_not_seen_has_no_influence() -> None:
    network, obs = TeamNetwork(SHAPES, 7, width=16), observed(4, 1)
    mask = torch.tensor([True, False, True, False, True]).expand(4, 1, 5)
    out, _ = network(obs, mask)
    changed = {name: value.clone() for name, value in obs.items()}
    changed["others"][:, :, 1] = float("nan")
    changed["things"][:, :, 0] = 1e9
    again, _ = network(changed, mask)
    assert torch.equal(out, again)
    changed["others"][:, :, 0] += 1.0
    assert not torch.allclose(network(changed, mask)[0], out)


def test_the_order_of_entities_does_not_matter() -> None:
    network, obs = TeamNetwork(SHAPES, 7, width=16), observed(4, 1)
    turned = obs | {"others": obs["others"][:, :, [2, 0, 1]]}
    everything = torch.ones(4, 1, 5, dtype=torch.bool)
    assert torch.allclose(network(obs, everything)[0], network(turned, everything)[0], atol=1e-5)


def test_lidar_is_circular() -> None:
    network = TeamNetwork(SHAPES, 7, width=16)
    assert network.lidar is not None
    x = torch.randn(1, 1, 8)
    rolled = network.lidar(x.roll(3, dims=-1))
    assert torch.allclose(rolled, network.lidar(x).roll(3, dims=-1), atol=1e-6)


@pytest.mark.parametrize("memory", [True, False])
def test_steps_one_by_one_are_the_sequence(memory: bool) -> None:
    network, obs = TeamNetwork(SHAPES, 7, width=16, memory=memory), observed(3, 6)
    mask = torch.rand(3, 6, 5, generator=torch.Generator().manual_seed(1)) < 0.5
    first = torch.zeros(3, 6, dtype=torch.bool)
    first[:, 0] = first[1, 3] = True
    whole, end = network(obs, mask, network.initial_state(3), first)
    state, outs = network.initial_state(3), []
    for t in range(6):
        now = {name: value[:, t : t + 1] for name, value in obs.items()}
        out, state = network(now, mask[:, t : t + 1], state or None, first[:, t : t + 1])
        outs.append(out)
    assert torch.allclose(torch.cat(outs, dim=1), whole, atol=1e-5)
    assert all(torch.allclose(state[name], end[name], atol=1e-5) for name in end)


def test_vectors_alone_need_no_entities() -> None:
    network = TeamNetwork({"me": (5,)}, 2, width=8)
    assert network({"me": torch.randn(3, 1, 5)}, None)[0].shape == (3, 1, 2)
