"""Attention against torch's own, and what is absent against what is cut out."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks import create
from palestra.networks.attention import (
    EntityAttention,
    MultiHeadSelfAttention,
    SelfAttentionBlock,
    SoftAttention,
    doubly_stochastic_penalty,
    masked_mean,
    masked_softmax,
)
from palestra.networks.pretrained import from_pretrained, save_pretrained

B, N, D, H = 4, 6, 8, 5


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def a_mask() -> Tensor:
    """Some entities are absent, of the last set all."""
    mask = torch.rand(B, N, generator=torch.Generator().manual_seed(1)) < 0.6
    mask[:, 0], mask[-1] = True, False
    return mask


def self_attention(causal: bool = False) -> MultiHeadSelfAttention:
    torch.manual_seed(0)
    return MultiHeadSelfAttention(D, 2, causal=causal).double()


def torchs_twin(ours: MultiHeadSelfAttention) -> nn.MultiheadAttention:
    theirs = nn.MultiheadAttention(D, ours.num_heads, batch_first=True).double()
    names = {"in_proj.": "in_proj_", "out_proj.": "out_proj."}
    theirs.load_state_dict(
        {key.replace(a, b): v for key, v in ours.state_dict().items() for a, b in names.items() if a in key}
    )
    return theirs


@pytest.mark.parametrize("few", [0, 64])  # by torch's fused attention, by plain products
@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_is_torchs(causal: bool, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("palestra.networks.attention.FEW", few)
    ours, mask = self_attention(causal), a_mask()
    mask[:, 0] = True  # torch's gives NaN where nothing can be looked at
    theirs = torchs_twin(ours)
    above = torch.ones(N, N, dtype=torch.bool).triu(1)
    x = random(B, N, D).requires_grad_()
    expected, weights = theirs(
        x, x, x, key_padding_mask=~mask, attn_mask=above if causal else None, average_attn_weights=False
    )
    actual = ours(x, mask)
    torch.testing.assert_close(actual[mask], expected[mask])
    torch.testing.assert_close(ours.weights(x, mask).transpose(1, 2)[mask], weights.transpose(1, 2)[mask])
    weigh = random(B, N, D, seed=2)
    wanted = torch.autograd.grad((expected * weigh)[mask].sum(), (x, *theirs.parameters()))
    given = torch.autograd.grad((actual * weigh)[mask].sum(), (x, *ours.parameters()))
    torch.testing.assert_close(given, wanted)


def test_weights_are_those_of_scaled_dot_products() -> None:
    query, key, value = (random(B, 2, N, D, seed=i) for i in range(3))
    mask = a_mask()[:-1, None, None, :]
    query, key, value = query[:-1], key[:-1], value[:-1]
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = query @ key.transpose(-2, -1) / D**0.5
    torch.testing.assert_close(masked_softmax(scores, mask.expand_as(scores)) @ value, expected)


@pytest.mark.parametrize("kind", [MultiHeadSelfAttention, SelfAttentionBlock])
@pytest.mark.parametrize("few", [0, 64])
@pytest.mark.parametrize("causal", [False, True])
def test_what_is_absent_is_as_if_cut_out(
    kind: type[nn.Module], causal: bool, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palestra.networks.attention.FEW", few)
    torch.manual_seed(0)
    network, mask, x = kind(D, 2, causal=causal).double(), a_mask(), random(B, N, D)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    out = network(x.masked_fill(~mask[..., None], torch.nan), mask)
    for b in range(B - 1):
        torch.testing.assert_close(out[b, mask[b]], network(x[b : b + 1, mask[b]])[0])
    assert out[~mask].eq(0).all()


@pytest.mark.parametrize("causal", [False, True])
def test_who_may_look_at_whom(causal: bool) -> None:
    attention, mask = self_attention(causal), a_mask()
    weights = attention.weights(random(B, N, D), mask)
    for b, i, j in torch.cartesian_prod(torch.arange(B), torch.arange(N), torch.arange(N)).tolist():
        wanted = bool(mask[b, i] and mask[b, j]) and (j <= i or not causal)
        assert bool((weights[b, :, i, j] > 0).all()) == bool((weights[b, :, i, j] > 0).any()) == wanted
    torch.testing.assert_close(weights.sum(-1), mask.double()[:, None].expand(-1, 2, -1))


def gradient_of_absent(network: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (network(x, mask) ** 3).sum().backward()
    assert x.grad is not None
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert x.grad[mask].abs().sum() > 0
    return x.grad[~mask]


@pytest.mark.parametrize("network", [MultiHeadSelfAttention(D, 2), SelfAttentionBlock(D, 2), EntityAttention(D, 3)])
def test_what_is_absent_has_no_influence_and_no_gradient(network: nn.Module) -> None:
    network, mask, x = network.double(), a_mask(), random(B, N, D)
    changed = torch.where(mask[..., None], x, 1e6 * random(B, N, D, seed=5))
    torch.testing.assert_close(network(changed, mask), network(x, mask), rtol=0, atol=0)
    assert gradient_of_absent(network, x.masked_fill(~mask[..., None], torch.nan), mask).eq(0).all()


@pytest.mark.parametrize("network", [MultiHeadSelfAttention(D, 4), SelfAttentionBlock(D, 4)])
def test_permutation_equivariance(network: nn.Module) -> None:
    network, mask, x, order = network.double(), a_mask(), random(B, N, D), torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(network(x[:, order], mask[:, order]), network(x, mask)[:, order])


def test_causal_attention_does_not_see_what_comes() -> None:
    attention, x = self_attention(causal=True), random(B, N, D)
    later = x.clone()
    later[:, 4:] = random(B, N - 4, D, seed=9)
    torch.testing.assert_close(attention(later)[:, :4], attention(x)[:, :4], rtol=0, atol=0)
    assert (attention(later)[:, 4:] - attention(x)[:, 4:]).abs().min() > 1e-6


def test_sets_in_any_order_and_number(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create("attention", in_channels=D, num_classes=3, num_units=16, num_blocks=2)
    mask, x, order = a_mask(), random(B, N, D), torch.tensor([3, 0, 5, 1, 4, 2])
    out = network(x, mask)
    torch.testing.assert_close(network(x[:, order], mask[:, order]), out)
    torch.testing.assert_close(out[0], network(x[:1, mask[0]])[0])
    torch.testing.assert_close(out[-1], network.head.bias)
    torch.testing.assert_close(from_pretrained(save_pretrained(network, tmp_path))(x, mask), out)
    assert network.get_submodule(network.stages[-1]) is network.blocks[1]


def test_soft_attention_by_hand() -> None:
    torch.manual_seed(0)
    soft = SoftAttention(D, H, num_units=7).double()
    features, state = random(B, N, D), random(B, H, seed=1)
    context, alpha = soft(features, state)
    w, u, v = soft.of_features, soft.of_state.weight, soft.score.weight[0]
    for b in range(B):
        scores = torch.stack([v @ torch.tanh(w.weight @ a + w.bias + u @ state[b]) for a in features[b]])
        weights = scores.exp() / scores.exp().sum()
        gate = 1 / (1 + torch.exp(-(soft.gate.weight[0] @ state[b] + soft.gate.bias)))
        torch.testing.assert_close(alpha[b], weights)
        torch.testing.assert_close(context[b], gate * sum(weights[i] * features[b, i] for i in range(N)))


def test_soft_attention_leaves_out_absent_places() -> None:
    soft, mask = SoftAttention(D, H, gate=False).double(), a_mask()
    features, state = random(B, N, D), random(B, H, seed=1)
    features[~mask] = torch.nan
    features.requires_grad_()
    context, alpha = soft(features, state, mask)
    assert alpha[~mask].eq(0).all()
    torch.testing.assert_close(alpha[:-1].sum(1), torch.ones(B - 1, dtype=torch.float64))
    assert context[-1].eq(0).all()
    context.square().sum().backward()
    assert features.grad is not None
    assert features.grad[~mask].eq(0).all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in soft.parameters())


def test_doubly_stochastic_penalty() -> None:
    # Every place looked at once costs nothing; two steps on one of two places: (1 - 2)^2 + (1 - 0)^2.
    once, twice = torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert doubly_stochastic_penalty(torch.stack([once, twice])).tolist() == [0.0, 2.0]
    mask = torch.tensor([[True, True], [True, False]])
    assert doubly_stochastic_penalty(torch.stack([once, twice]), mask).tolist() == [0.0, 1.0]


def test_mean_of_those_present() -> None:
    x = torch.tensor([[[1.0], [3.0], [torch.nan]], [[torch.nan]] * 3])
    mask = torch.tensor([[True, True, False], [False] * 3])
    assert masked_mean(x, mask).tolist() == [[2.0], [0.0]]


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="10 features cannot be shared equally among 4 heads"):
        MultiHeadSelfAttention(10, 4)
    with pytest.raises(ValueError, match="at least 1"):
        EntityAttention(0, 3)
