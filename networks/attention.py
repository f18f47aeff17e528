"""Attention: over the places of a picture (Xu et al. 2015), and among entities that may be absent (Baker et al. 2020).

What is absent has no influence at all: neither its values, whatever they are, nor its gradients, which are zero. Where
nothing is present the result is zero.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEW = 64  # entities up to which plain products are faster on a CPU than fused attention


def masked_softmax(scores: Tensor, mask: Tensor | None = None) -> Tensor:
    """Returns weights `[..., N]` that sum to one over what `mask` (bool, as `scores`) leaves; zeros where nothing."""
    if mask is None:
        return scores.softmax(-1)
    lowest = torch.finfo(scores.dtype).min
    return scores.masked_fill(~mask, lowest).softmax(-1).masked_fill(~mask, 0)


def masked_mean(x: Tensor, mask: Tensor | None = None) -> Tensor:
    """Averages `[B, N, D]` over the entities that are present, `mask` `[B, N]` bool: `[B, D]`, zero where none is."""
    if mask is None:
        return x.mean(1)
    return x.masked_fill(~mask[..., None], 0).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def doubly_stochastic_penalty(alpha: Tensor, mask: Tensor | None = None) -> Tensor:
    """Returns `[B]` the sum over places of (1 - the attention each place got)^2, Xu et al. 2015, equation 14.

    `alpha` `[B, T, L]` holds the weights of T steps on L places, `mask` `[B, T]` (bool) the steps that count. Added to
    the loss, times a factor, it makes every place be looked at about once.
    """
    if mask is not None:
        alpha = alpha.masked_fill(~mask[..., None], 0)
    return (1 - alpha.sum(1)).square().sum(1)


class SoftAttention(nn.Module):
    """Looks at places of a picture, as the state of a recurrent network asks for: deterministic soft attention.

    Xu et al., "Show, attend and tell" (2015), Sections 3.1.2 and 4.2. The score of a place is a layer of `num_units`
    tanh units on its features and the state, the context is the weighted sum of features, times a gate in (0, 1) that
    the state sets (their beta, Section 4.2.1) where `gate` is True.
    """

    def __init__(self, num_features: int, num_state: int, *, num_units: int = 256, gate: bool = True) -> None:
        super().__init__()
        self.of_features = nn.Linear(num_features, num_units)
        self.of_state = nn.Linear(num_state, num_units, bias=False)
        self.score = nn.Linear(num_units, 1, bias=False)  # a bias would cancel in the softmax
        self.gate = nn.Linear(num_state, 1) if gate else None

    def forward(self, features: Tensor, state: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Maps features `[B, L, D]` and the state `[B, H]` to the context `[B, D]` and the weights `[B, L]`.

        `mask` `[B, L]` (bool) says which places there are.
        """
        features = _present(features, mask)
        units = torch.tanh(self.of_features(features) + self.of_state(state)[:, None])  # [B, L, num_units]
        alpha = masked_softmax(self.score(units).squeeze(-1), mask)  # [B, L]
        context = (alpha[:, None] @ features).squeeze(1)  # [B, D]
        return context if self.gate is None else torch.sigmoid(self.gate(state)) * context, alpha


class MultiHeadSelfAttention(nn.Module):
    """Self-attention of `num_heads` heads (Vaswani et al. 2017, Section 3.2) among entities `[B, N, num_features]`.

    With `causal`, an entity sees itself and those before it: a sequence. The parameters have the shapes of torch's
    `nn.MultiheadAttention`.

    Raises:
        ValueError: the features cannot be shared equally among the heads.
    """

    def __init__(self, num_features: int, num_heads: int = 4, *, causal: bool = False) -> None:
        super().__init__()
        if num_heads < 1 or num_features % num_heads:
            raise ValueError(f"{num_features} features cannot be shared equally among {num_heads} heads")
        self.num_heads, self.causal = num_heads, causal
        self.in_proj = nn.Linear(num_features, 3 * num_features)
        self.out_proj = nn.Linear(num_features, num_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Maps `[B, N, num_features]` to the same shape; entities absent by `mask` `[B, N]` (bool) give zeros."""
        return _present(self.attend(_present(x, mask), mask), mask)

    def attend(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Does what calling it does, of entities that are numbers even if absent; what absent ones give is any."""
        query, key, value = self._heads(x)
        if x.shape[1] <= FEW:
            out = self._alpha(query, key, mask) @ value  # [B, heads, N, D]
        else:
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=self._bias(x, mask))
        return self.out_proj(out.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def weights(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns how much each entity attends to each: `[B, num_heads, N, N]`, rows sum to one, or zero if absent."""
        query, key, _ = self._heads(_present(x, mask))
        alpha = self._alpha(query, key, mask)
        return alpha if mask is None else alpha.masked_fill(~mask[:, None, :, None], 0)

    def _heads(self, x: Tensor) -> tuple[Tensor, ...]:
        parts = self.in_proj(x).unflatten(-1, (3, self.num_heads, -1))  # [B, N, 3, heads, D]
        return tuple(part.transpose(1, 2) for part in parts.unbind(2))  # 3 of [B, heads, N, D]

    def _alpha(self, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
        """Returns the weights `[B, heads, N, N]`; what those that are absent would attend to has no meaning."""
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        bias = self._bias(query.transpose(1, 2), mask)
        alpha: Tensor = (scores if bias is None else scores + bias).softmax(-1)
        return alpha

    def _bias(self, x: Tensor, mask: Tensor | None) -> Tensor | None:
        """Returns what is added to the scores, `[B or 1, 1, 1 or N, N]`: 0, or the lowest number where none may look.

        A row of lowest numbers gives equal weights rather than none that are numbers.
        """
        if mask is None and not self.causal:
            return None
        allowed = torch.ones(1, x.shape[1] if self.causal else 1, x.shape[1], dtype=torch.bool, device=x.device)
        allowed = allowed.tril() if self.causal else allowed
        allowed = allowed if mask is None else allowed & mask[:, None]
        return x.new_zeros(allowed.shape).masked_fill_(~allowed, torch.finfo(x.dtype).min)[:, None]


class SelfAttentionBlock(nn.Module):
    """Residual self-attention: layer norm of the entities plus what they attend to.

    The masked block of Baker et al., "Emergent tool use from multi-agent autocurricula" (2020), with the layer norm
    after the sum.
    """

    def __init__(self, num_features: int, num_heads: int = 4, *, causal: bool = False) -> None:
        super().__init__()
        self.attention = MultiHeadSelfAttention(num_features, num_heads, causal=causal)
        self.norm = nn.LayerNorm(num_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Maps `[B, N, num_features]` to the same shape; entities absent by `mask` `[B, N]` (bool) give zeros."""
        x = _present(x, mask)
        return _present(self.norm(x + self.attention.attend(x, mask)), mask)


class EntityAttention(nn.Module):
    """A network on sets of entities `[B, N, in_channels]` of any number and order, some of them absent.

    Each entity is embedded by a layer with ReLU, `num_blocks` blocks of self-attention let them look at one another,
    and the mean over those present goes to the head. Baker et al. (2020) have 128 units, 4 heads and one block.

    Raises:
        ValueError: the units cannot be shared equally among the heads, or there are none.
    """

    input_rank: ClassVar[int] = 2
    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(
        self,
        in_channels: int,
        num_classes: int | None = None,
        *,
        num_units: int = 128,
        num_heads: int = 4,
        num_blocks: int = 1,
    ) -> None:
        super().__init__()
        if min(in_channels, num_units) < 1 or num_classes == 0:
            raise ValueError(f"every size must be at least 1, but they are {(in_channels, num_units, num_classes)}")
        self.num_features = num_units
        self.embed = nn.Sequential(nn.Linear(in_channels, num_units), nn.ReLU())
        self.blocks = nn.ModuleList(SelfAttentionBlock(num_units, num_heads) for _ in range(num_blocks))
        self.stages = ("embed", *(f"blocks.{i}" for i in range(num_blocks)))
        self.head = nn.Identity() if num_classes is None else nn.Linear(num_units, num_classes)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Maps entities `[B, N, in_channels]`, present by `mask` `[B, N]` (bool), to `[B, num_classes]`."""
        x = self.embed(_present(x.to(next(self.parameters()).dtype), mask))  # [B, N, num_units]
        for block in self.blocks:
            x = block(x, mask)
        return self.head(masked_mean(x, mask))  # type: ignore[no-any-return]


def _present(x: Tensor, mask: Tensor | None) -> Tensor:
    """Sets what is absent to zero: it may hold anything, even no numbers."""
    return x if mask is None else torch.where(mask[..., None], x, 0)
