"""An update of deep Q-learning: targets, what is frozen, step sizes, and the modes of dropout and normalisation."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from palestra.agents.dqn import DQNConfig
from palestra.agents.q_update import QUpdate, td_target
from palestra.agents.replay import Batch
from palestra.networks import create


def batch(size: int = 6, num_actions: int = 3) -> Batch:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=size).astype(np.float32), np.full(size, 0.9, np.float32)
    return Batch(np.zeros(0), rng.integers(0, num_actions, size), numbers[0], np.zeros(0), numbers[1], None)


def updated(network: nn.Module, x: torch.Tensor, times: int = 2, **options: Any) -> QUpdate:
    update = QUpdate(network, DQNConfig(**options), seed=1)
    for _ in range(times):
        update(x, x.flip(0), batch(len(x)), 1e-3)
    return update


def normalised() -> nn.Module:
    torch.manual_seed(0)
    return create("mlp", in_channels=4, num_classes=3, hidden=(5, 6), batch_norm=True)


def test_targets_by_hand() -> None:
    reward, discount = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.0])
    q = torch.tensor([[1.0, 4.0, 2.0], [9.0, 9.0, 9.0]])
    torch.testing.assert_close(td_target(reward, discount, q, q, None), torch.tensor([3.0, 2.0]))
    mask = torch.tensor([[True, False, True], [False, False, False]])  # nothing may be allowed where nothing follows
    torch.testing.assert_close(td_target(reward, discount, q, q, mask), torch.tensor([2.0, 2.0]))
    online = torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.0, 0.0]])  # double Q: chosen by one, valued by the other
    torch.testing.assert_close(td_target(reward, discount, q, online, None), torch.tensor([1.5, 2.0]))


@pytest.mark.parametrize(("num_frozen", "first_learnt"), [(0, "features.0."), (1, "features.2."), (-1, "head.")])
def test_frozen_stages_neither_move_nor_cost(num_frozen: int, first_learnt: str) -> None:
    network = create("mlp", in_channels=4, num_classes=3, hidden=(5, 6))
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    update = updated(network, torch.randn(6, 4), freeze=num_frozen)
    names = list(before)
    learnt = names[names.index(f"{first_learnt}weight") :]
    for i, (name, p) in enumerate(network.named_parameters()):
        moved = not torch.equal(p.detach(), before[name])
        kept = bool(update.state()["optimizer"].get(str(i)))
        assert (moved, kept, p.grad is not None) == (name in learnt,) * 3, name
    update.copy_to_target()
    assert all(torch.equal(p, q) for p, q in zip(network.parameters(), update.target.parameters(), strict=True))
    assert not any(p.requires_grad for p in update.target.parameters())


def test_the_encoder_moves_by_its_own_step_size() -> None:
    # Adam's first step moves each weight by the step size, where the gradient is far from zero
    network = create("mlp", in_channels=4, num_classes=3, hidden=(5,))
    before = [p.detach().clone() for p in network.parameters()]
    updated(network, torch.randn(6, 4), times=1, learning_rate=1e-3, encoder_lr=1e-5)
    moves = [float((p.detach() - q).abs().max()) for p, q in zip(network.parameters(), before, strict=True)]
    assert moves == pytest.approx([1e-5, 1e-5, 1e-3, 1e-3], rel=0.02)


def test_learnt_normalisation_keeps_statistics_and_frozen_one_does_not() -> None:
    learnt, half, frozen = normalised(), normalised(), normalised()
    for network, num_frozen in ((learnt, 0), (half, 1), (frozen, -1)):
        updated(network, torch.randn(6, 4), freeze=num_frozen)
    first, last = "features.1.num_batches_tracked", "features.4.num_batches_tracked"
    counts = [[int(network.state_dict()[name]) for name in (first, last)] for network in (learnt, half, frozen)]
    assert counts == [[2, 2], [0, 2], [0, 0]]  # an update, not its targets, is one batch


def test_acting_and_bootstrapping_are_in_evaluation_mode() -> None:
    network = normalised()
    modes: dict[str, list[bool]] = {"network": [], "target": []}
    update = QUpdate(network, DQNConfig(), seed=0)
    for name, module in (("network", network.features[1]), ("target", update.target.features[1])):
        module.register_forward_hook(lambda m, *_, kept=modes[name]: kept.append(m.training))
    update(torch.randn(6, 4), torch.randn(6, 4), batch(), 1e-3)
    assert modes == {"network": [False, True], "target": [False]}  # chosen by, learnt from; valued by
    assert not network.training


def test_dropout_depends_on_the_number_of_the_update_alone() -> None:
    def network() -> nn.Module:
        torch.manual_seed(3)
        return create("mlp", in_channels=4, num_classes=3, hidden=(16,), dropout=0.5)

    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    before = torch.get_rng_state()
    whole = updated(network(), x, times=4)
    half = updated(network(), x, times=2)
    resumed = QUpdate(network(), DQNConfig(), seed=1)
    resumed.restore(half.state())
    torch.manual_seed(99)
    kept: list[torch.Tensor] = []  # which units were not left out, batch by batch
    resumed.network.features[2].register_forward_hook(lambda m, x, y: kept.append(y[x[0] > 0] > 0))
    for _ in range(2):
        resumed(x, x.flip(0), batch(), 1e-3)
    bootstrapped, first, _, second = kept
    assert bootstrapped.all()
    assert not torch.equal(first[:20], second[:20])
    for name, value in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], value)
    torch.set_rng_state(before)
