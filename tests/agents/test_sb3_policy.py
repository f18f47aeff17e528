"""The parts that put our networks into stable-baselines3's policy; `test_sb3.py` has whole agents."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from palestra.agents.sb3_policy import Actor, Encoder, MaskedPolicy, encoders_of, prepare_learning
from palestra.networks import create

SPACE = gym.spaces.Dict({"obs": gym.spaces.Box(-1, 1, (4,)), "mask": gym.spaces.MultiBinary(3)})
MLP = {"network": "mlp", "arguments": {"in_channels": 4, "hidden": (5, 6)}}


def policy(share: bool = True) -> MaskedPolicy:
    """Makes a policy of three actions with a mask."""
    return MaskedPolicy(
        SPACE,
        gym.spaces.Discrete(3),
        lambda _: 1e-3,
        net_arch=[],
        features_extractor_class=Encoder,
        features_extractor_kwargs=MLP,
        share_features_extractor=share,
    )


def test_an_encoder_is_its_network_and_keeps_the_last_mask() -> None:
    encoder = Encoder(SPACE, **MLP)
    obs, mask = torch.rand(7, 4), torch.randint(2, (7, 3), generator=torch.Generator().manual_seed(0))
    assert torch.equal(encoder({"obs": obs, "mask": mask.float()}), encoder.network(obs))
    assert encoder.features_dim == encoder.network.num_features == 6
    assert torch.equal(encoder.mask, mask == 1)
    encoder({"obs": obs})
    assert encoder.mask is None


def test_images_keep_their_planes_and_what_a_vector_network_sees_is_flat() -> None:
    images = gym.spaces.Dict({"obs": gym.spaces.Box(0, 255, (4, 36, 36), np.uint8)})
    encoder = Encoder(images, "nature", {"in_channels": 4, "image_size": (36, 36)})
    assert encoder({"obs": torch.rand(2, 4, 36, 36)}).shape == (2, encoder.features_dim)
    flat = Encoder(SPACE, "mlp", {"in_channels": 12})
    x = torch.rand(2, 3, 4)
    assert torch.equal(flat({"obs": x}), flat.network(x.flatten(1)))


def test_logits_outside_the_mask_are_minus_infinity_and_the_others_are_as_they_were() -> None:
    net = policy()
    obs, mask = torch.rand(2, 4), torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    with torch.no_grad():
        masked = net.get_distribution({"obs": obs, "mask": mask}).distribution.probs
        free = net.get_distribution({"obs": obs, "mask": torch.ones(2, 3)}).distribution.probs
    assert (masked[mask == 0] == 0).all()
    wanted = free * mask / (free * mask).sum(1, keepdim=True)
    torch.testing.assert_close(masked, wanted)


def test_an_actor_is_the_policys_own_layers() -> None:
    net = policy(share=False)
    actor = Actor(encoders_of(net)[0], net.action_net)
    x = torch.rand(3, 4)
    assert torch.equal(actor(x), net.action_net(net.pi_features_extractor.network(x)))
    assert actor.head is net.action_net
    assert actor.stages == tuple(f"encoder.{stage}" for stage in ("features.1", "features.3"))
    assert (actor.input_rank, actor.num_features) == (1, 6)


def test_encoders_are_one_that_is_shared_or_the_actors_and_the_critics() -> None:
    shared, apart = policy(), policy(share=False)
    assert encoders_of(shared) == [shared.features_extractor.network]
    first, second = encoders_of(apart)
    assert first is apart.pi_features_extractor.network
    assert second is apart.vf_features_extractor.network is not first


def test_step_sizes_of_encoder_and_rest_and_what_is_frozen() -> None:
    net = policy()
    prepare_learning(net, 0.1, 0.001, 1)
    features = encoders_of(net)[0].features
    for rate in (0.1, 0.05):
        for group in net.optimizer.param_groups:  # as the library does before each update
            group["lr"] = rate
            for p in group["params"]:
                p.grad = torch.zeros_like(p)
        net.optimizer.step()
        rates = {p: group["lr"] for group in net.optimizer.param_groups for p in group["params"]}
        assert features[0].weight not in rates
        assert rates[features[2].weight] == pytest.approx(rate / 100)
        assert rates[net.action_net.weight] == rates[net.value_net.weight] == rate


def test_a_step_size_for_an_encoder_that_does_not_learn_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        prepare_learning(policy(), 0.1, 0.001, -1)
    with pytest.raises(ValueError, match="stages"):
        prepare_learning(policy(), 0.1, None, 9)


def test_frozen_layers_stay_in_evaluation() -> None:
    encoder = Encoder(SPACE, "mlp", {"in_channels": 4, "hidden": (5, 6), "batch_norm": True})
    network = create("mlp", in_channels=4, hidden=(5, 6), batch_norm=True)
    assert len(encoder.network.features) == len(network.features)
    for p in encoder.network.features[:2].parameters():
        p.requires_grad_(False)
    encoder.train()
    assert not encoder.network.features[1].training
    assert encoder.network.features[4].training
    encoder.eval()
    assert not encoder.network.features[4].training
