"""Our networks inside stable-baselines3's actor-critic policy, with masks Ω."""

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium as gym
import torch
from stable_baselines3.common.distributions import CategoricalDistribution, Distribution
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from palestra.agents.encoder import freeze_encoder, parameter_groups, set_step_sizes
from palestra.networks import create
from palestra.networks.stages import stages_of, train_mode


class Encoder(BaseFeaturesExtractor):
    """One of our networks as the library's features extractor; `mask` keeps the Ω `[B, A]` of the last batch.

    `arguments` are those of `create`.
    """

    def __init__(self, observation_space: gym.spaces.Dict, network: str, arguments: Mapping[str, Any]) -> None:
        made = create(network, **arguments)
        super().__init__(observation_space, int(made.num_features))  # type: ignore[arg-type]
        self.network = made
        self.mask: Tensor | None = None
        self._flat = made.input_rank == 1

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Maps the library's preprocessed observations to features `[B, num_features]`."""
        obs = observations["obs"]
        self.mask = observations["mask"] > 0 if "mask" in observations else None
        features: Tensor = self.network(obs.flatten(1) if self._flat else obs)
        return features

    def train(self, mode: bool = True) -> "Encoder":
        """Sets training mode, in which what is frozen keeps its statistics."""
        super().train(mode)
        if mode:
            train_mode(self.network)
        return self


class MaskedPolicy(MultiInputActorCriticPolicy):
    """The library's actor-critic policy, whose logits outside Ω are minus infinity."""

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> Distribution:
        mask: Any = self.pi_features_extractor.mask
        if mask is None or not isinstance(self.action_dist, CategoricalDistribution):
            return super()._get_action_dist_from_latent(latent_pi)
        logits = self.action_net(latent_pi).masked_fill(~mask, -torch.inf)
        return self.action_dist.proba_distribution(action_logits=logits)


class Actor(nn.Module):
    """What chooses actions, from observations as the encoder takes them to logits or means, `[B, ...] -> [B, A]`.

    It is the policy's own layers, not a copy; Ω and the spread of continuous actions are left out.
    """

    heads: ClassVar[tuple[str, ...]] = ("head",)

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.input_rank = encoder.input_rank
        self.num_features = encoder.num_features
        self.stages = tuple(f"encoder.{stage}" for stage in stages_of(encoder))

    def forward(self, x: Tensor) -> Tensor:
        """Maps images `[B, C, H, W]`, uint8 or floats in [0, 1], or vectors `[B, N]` to logits or means `[B, A]`."""
        return self.head(self.encoder(x))  # type: ignore[no-any-return]


def encoders_of(policy: Any) -> list[nn.Module]:
    """Returns our networks in a policy: one that actor and critic share, or one of each, the actor's first."""
    if policy.share_features_extractor:
        return [policy.features_extractor.network]
    return [policy.pi_features_extractor.network, policy.vf_features_extractor.network]


def prepare_learning(policy: Any, learning_rate: float, encoder_lr: float | None, num_frozen: int) -> None:
    """Freezes stages of a policy's encoders, and gives its optimiser the step sizes.

    The library sets one step size for all parameters before each update; a group's share is taken before each step.

    Raises:
        ValueError: there are not so many stages, or nothing in the encoder is learnt but it has a step size.
    """
    for network in encoders_of(policy):
        freeze_encoder(network, num_frozen)
    inside = [p for network in encoders_of(policy) for p in network.parameters()]
    groups = parameter_groups(policy, inside, learning_rate, encoder_lr)
    policy.optimizer = policy.optimizer_class(groups, lr=learning_rate, **policy.optimizer_kwargs)
    policy.optimizer.register_step_pre_hook(_take_shares)


def _take_shares(optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
    set_step_sizes(optimizer, optimizer.param_groups[0]["lr"])
