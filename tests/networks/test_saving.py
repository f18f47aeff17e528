"""Optimisers and weights as plain arrays: they go on to the bit, and copies do not change."""

import torch

from palestra.networks.saving import optimizer_state, restore_optimizer, snapshot


def test_optimisers_go_on_in_the_memory_format_of_the_weights() -> None:
    def network() -> torch.nn.Module:
        torch.manual_seed(0)
        made = torch.nn.Conv2d(3, 4, 2).to(memory_format=torch.channels_last)
        made.bias.requires_grad_(False)
        return made

    nets = network(), network()
    one, other = (torch.optim.Adam([net.weight], lr=0.1, fused=True) for net in nets)

    def step(net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        net(torch.ones(1, 3, 2, 2)).square().sum().backward()
        optimizer.step()

    step(nets[0], one)
    state = optimizer_state(one, nets[0].parameters())
    assert list(state) == ["0"]  # the bias is constant
    nets[1].load_state_dict(nets[0].state_dict())
    restore_optimizer(other, nets[1].parameters(), state)
    assert other.state[nets[1].weight]["exp_avg"].is_contiguous(memory_format=torch.channels_last)
    for net, optimizer in zip(nets, (one, other), strict=True):
        step(net, optimizer)
    assert torch.equal(nets[0].weight, nets[1].weight)


def test_a_snapshot_is_a_copy_row_by_row() -> None:
    value = torch.zeros(1, 2, 3, 4).to(memory_format=torch.channels_last)
    copy = snapshot(value)
    value += 1
    assert copy.is_contiguous()
    assert float(copy.sum()) == 0.0
