"""What MAPPO minimises, beside the formulas, and how values are scaled."""

from typing import Any

import numpy as np
import pytest
import torch

from palestra.agents.mappo import MAPPOConfig
from palestra.agents.team_learner import Batch, TeamLearner, advantages
from palestra.agents.team_play import Actor, Collector, Rollout
from palestra.envs.spec import EnvSpec

SHAPES: dict[str, tuple[int, ...]] = {"me": (3,)}


def rollout(seed: int = 0, rows: int = 4, steps: int = 5, parts: tuple[int, ...] = (3, 2)) -> Rollout:
    """Makes up what happened to vectors of two worlds of two agents."""
    random = torch.Generator().manual_seed(seed)
    first = torch.zeros(rows, steps + 1, dtype=torch.bool)
    first[:, 0] = True
    return Rollout(
        obs={"me": torch.randn(rows, steps + 1, 3, generator=random)},
        actions=torch.stack([torch.randint(n, (rows, steps), generator=random) for n in parts], dim=-1),
        log_p=-1.8 + 0.2 * torch.randn(rows, steps, generator=random),
        rewards=torch.randn(rows, steps, generator=random),
        ended=torch.zeros(rows, steps, dtype=torch.bool),
        cut=torch.zeros(rows, steps, dtype=torch.bool),
        final=None,
        first=first,
        state={},
        learnt=torch.ones(rows, dtype=torch.bool),
    )


def learner(**options: Any) -> TeamLearner:
    """Makes a learner of two agents who choose one of three and one of two."""
    config = MAPPOConfig(**{"width": 8, "epochs": 1, "minibatches": 1, "memory": False, **options})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TeamLearner(config, SHAPES, [3, 2], 2, 0)


def test_losses_are_the_formulas() -> None:
    # Schulman et al. (2017), equation 7, and the entropy of each part of an action.
    agent, played = learner(clip=0.1), rollout()
    gains, wanted = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(1))
    view, there = agent._view(played.obs)
    batch = Batch(played, view, there, {}, gains, wanted, False)
    found = {name: float(value.detach()) for name, value in agent._losses(batch, torch.arange(4)).items()}
    with torch.no_grad():
        logits, _ = agent.policy({"me": played.obs["me"][:, :-1]}, None)
        values, _ = agent.critic({name: value[:, :-1] for name, value in view.items()}, None)
    losses, entropies, clipped = [], [], 0
    for row in range(4):
        for t in range(5):
            first, second = logits[row, t, :3].softmax(0), logits[row, t, 3:].softmax(0)
            one, other = played.actions[row, t].tolist()
            ratio = float(first[one] * second[other] / played.log_p[row, t].exp())
            gain = float(gains[row, t])
            losses.append(-min(ratio * gain, min(max(ratio, 0.9), 1.1) * gain))
            clipped += not 0.9 <= ratio <= 1.1
            entropies.append(float(-(first * first.log()).sum() - (second * second.log()).sum()))
    assert found["policy_loss"] == pytest.approx(np.mean(losses), abs=1e-5)
    assert found["entropy"] == pytest.approx(np.mean(entropies), abs=1e-5)
    assert found["clipped"] == pytest.approx(clipped / 20)
    assert 0 < clipped < 20
    assert found["value_loss"] == pytest.approx(float((values[..., 0] - wanted).square().mean()), abs=1e-5)
    whole = found["policy_loss"] + 0.5 * found["value_loss"] - agent.config.entropy * found["entropy"]
    assert found["loss"] == pytest.approx(whole, abs=1e-5)
    imitated = agent._losses(Batch(played, view, there, {}, gains, wanted, True), torch.arange(4))
    taken = [logits[..., :3].log_softmax(-1), logits[..., 3:].log_softmax(-1)]
    log_p = sum(part.gather(-1, played.actions[..., k, None])[..., 0] for k, part in enumerate(taken))
    assert float(imitated["policy_loss"].detach()) == pytest.approx(-float(log_p.mean().detach()), abs=1e-5)


def test_values_are_scaled_there_and_back() -> None:
    agent = learner()
    agent.value_norm.update(torch.tensor([[3.0], [5.0], [10.0]]))
    values = torch.tensor([[-2.0, 4.0], [6.0, 40.0]])
    assert torch.allclose(agent._unscaled(agent._scaled(values)), values, atol=1e-5)
    assert float(agent._scaled(torch.tensor([6.0]))) == pytest.approx(0.0, abs=1e-6)


def test_rows_of_a_past_policy_are_not_learnt_from() -> None:
    agents = []
    for changed in (0.0, 100.0):
        agent, played = learner(), rollout()
        played.learnt[2:] = False
        played.rewards[2:] += changed
        agent.learn(played)
        agents.append(agent)
    for name, value in agents[0].policy.state_dict().items():
        assert torch.equal(value, agents[1].policy.state_dict()[name]), name


def test_what_was_done_with_gain_becomes_likelier() -> None:
    agent, played = learner(learning_rate=1e-2, epochs=20, entropy=0.0), rollout()
    played.rewards = (played.actions[..., 0] == 1).float()
    played.ended[:] = True  # each step for itself

    @torch.no_grad()
    def log_p() -> torch.Tensor:
        logits = agent.policy({"me": played.obs["me"][:, :-1]}, None)[0]
        taken = [part.log_softmax(-1) for part in (logits[..., :3], logits[..., 3:])]
        played.log_p = sum(part.gather(-1, played.actions[..., k, None])[..., 0] for k, part in enumerate(taken))
        return taken[0].exp()[..., 1].mean()

    before = float(log_p())
    for _ in range(6):
        agent.learn(played)
        after = float(log_p())
    assert after > before + 0.2


def test_state_and_back() -> None:
    agent, other = learner(), learner()
    agent.learn(rollout())
    other.restore(agent.state())
    for one in (agent, other):
        one.learn(rollout(1))
    for name, value in agent.critic.state_dict().items():
        assert torch.equal(value, other.critic.state_dict()[name]), name
    assert other.updates == 2


def test_what_a_state_is_worth_goes_on_over_rollouts_with_memory() -> None:
    env = EnvSpec("palestra/HideAndSeek-v0", 2)
    envs: Any = env.make_vec()
    shapes = {name: space.shape[1:] for name, space in envs.single_observation_space.spaces.items()}
    agent = TeamLearner(MAPPOConfig(width=8), shapes, [11, 11, 11, 2, 2], 4, 0)
    collector = Collector(envs, Actor(agent.policy, [11, 11, 11, 2, 2], 4), 0)
    random = torch.Generator().manual_seed(0)
    parts = [collector.collect(3, random)[0] for _ in range(2)]
    joined = {name: torch.cat([parts[0].obs[name][:, :-1], parts[1].obs[name]], dim=1) for name in parts[0].obs}
    view, there = agent._view(joined)
    first = torch.cat([parts[0].first[:, :-1], parts[1].first], dim=1)
    with torch.no_grad():
        whole, _ = agent.critic(view, there, None, first)
    state: Any = agent.critic.initial_state(8)
    for k, part in enumerate(parts):
        values, _ = agent._values(part, *agent._view(part.obs), state)
        assert torch.allclose(values, agent._unscaled(whole[:, 3 * k : 3 * k + 3, 0]), atol=1e-5)
        state = agent._critic_state


def test_advantages_are_the_sums_of_discounted_errors() -> None:
    rng, gamma, lam = np.random.default_rng(0), 0.9, 0.8
    rewards, values, after = (rng.normal(size=(4, 6)) for _ in range(3))
    ended, cut = rng.random((4, 6)) < 0.2, rng.random((4, 6)) < 0.2
    stopped = ended | cut
    given = [torch.from_numpy(array) for array in (rewards, values, after, ended, stopped)]
    found = advantages(*given, gamma, lam).numpy()
    for b in range(4):
        for t in range(6):
            wanted, weight = 0.0, 1.0
            for k in range(t, 6):
                wanted += weight * (rewards[b, k] + gamma * after[b, k] * (not ended[b, k]) - values[b, k])
                weight *= gamma * lam
                if stopped[b, k]:
                    break
            assert found[b, t] == pytest.approx(wanted)
