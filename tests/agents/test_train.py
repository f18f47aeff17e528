import numpy as np

from palestra.agents.agent import Metrics, Transition, action_mask
from palestra.agents.train import interact
from palestra.envs.spec import EnvSpec


class Recorder:
    """Takes random allowed actions and remembers what it was shown."""

    def __init__(self, num_actions: int, step: int = 0) -> None:
        self.step = step
        self.num_actions = num_actions
        self.seen: list[Transition] = []
        self.firsts: list[np.ndarray] = []
        self._rng = np.random.default_rng(0)

    def act(
        self, obs: np.ndarray, first: np.ndarray, mask: np.ndarray | None = None, *, explore: bool = True
    ) -> np.ndarray:
        self.firsts.append(first)
        allowed = np.ones((len(obs), self.num_actions), bool) if mask is None else mask
        return np.array([self._rng.choice(np.flatnonzero(row)) for row in allowed])

    def learn(self, transition: Transition) -> Metrics:
        self.seen.append(transition)
        return {}


def run(id: str, steps: int, num_actions: int, **options: object) -> tuple[Recorder, list]:
    agent = Recorder(num_actions)
    rows = list(interact(agent, EnvSpec(id, **options), steps))
    return agent, rows


def test_steps_are_counted_over_all_copies() -> None:
    agent, rows = run("CartPole-v1", 100, 2, num_envs=3)
    assert agent.step == 102
    assert [step for step, _ in rows] == list(range(3, 103, 3))


def test_next_obs_is_the_true_last_sight() -> None:
    agent, _ = run("CartPole-v1", 400, 2, num_envs=2)
    ends = 0
    for t, after in zip(agent.seen[:-1], agent.seen[1:], strict=True):
        ended = t.terminated | t.truncated
        assert np.array_equal(t.next_obs[~ended], after.obs[~ended])
        for i in np.flatnonzero(ended):
            ends += 1
            assert not np.array_equal(t.next_obs[i], after.obs[i])
            assert abs(t.next_obs[i][0]) > 2.4 or abs(t.next_obs[i][2]) > 0.2  # CartPole ends outside these bounds
    assert ends > 10


def test_the_last_step_truncates_what_is_running() -> None:
    agent, _ = run("CartPole-v1", 50, 2)
    last = agent.seen[-1]
    assert (last.terminated | last.truncated).all()
    assert not any(t.truncated.any() for t in agent.seen[:-1])


def test_time_limits_truncate() -> None:
    agent, rows = run("FrozenLake-v1", 60, 4, kwargs={"max_episode_steps": 1})
    assert all((t.truncated | t.terminated).all() for t in agent.seen)
    assert all(metrics["rollout/ep_len_mean"] == [1] for _, metrics in rows)


def test_episodes_begin_where_first_says() -> None:
    agent, _ = run("CartPole-v1", 300, 2, num_envs=2)
    assert agent.firsts[0].all()
    for t, first in zip(agent.seen[:-1], agent.firsts[1:], strict=True):
        assert np.array_equal(first, t.terminated | t.truncated)


def test_masks_travel_with_the_observations() -> None:
    agent, _ = run("Taxi-v4", 600, 6, num_envs=2)
    for t, after in zip(agent.seen[:-1], agent.seen[1:], strict=True):
        assert t.mask is not None
        assert t.next_mask is not None
        assert t.mask[np.arange(2), t.action].all()
        going = ~(t.terminated | t.truncated)
        assert np.array_equal(t.next_mask[going], after.mask[going])
    env = EnvSpec("Taxi-v4").make().unwrapped
    assert np.array_equal(agent.seen[-1].next_mask[0], env.action_mask(agent.seen[-1].next_obs[0]).astype(bool))


def test_rewards_are_clipped_for_learners_and_raw_in_the_returns() -> None:
    agent, rows = run("ALE/SpaceInvaders-v5", 1600, 6, num_envs=2)
    assert max(t.reward.max() for t in agent.seen) == 1.0
    returns = [r for _, metrics in rows for r in metrics.get("rollout/ep_rew_mean", [])]
    assert max(returns) >= 5  # an invader is worth at least 5


def test_same_state_and_seed_same_segment() -> None:
    first, second = run("CartPole-v1", 80, 2)[0], run("CartPole-v1", 80, 2)[0]
    assert all(np.array_equal(a.obs, b.obs) for a, b in zip(first.seen, second.seen, strict=True))


def test_lost_lives_end_the_learners_episode_but_not_the_game() -> None:
    agent, rows = run("ALE/Breakout-v5", 1600, 4, num_envs=2, protocol="nature")
    ends = sum(t.terminated.sum() for t in agent.seen)
    games = sum(len(metrics.get("rollout/ep_rew_mean", [])) for _, metrics in rows)
    assert ends >= 5 * games > 0


def test_no_mask_is_none() -> None:
    assert action_mask({}) is None
    mask = action_mask({"action_mask": np.array([[1, 0]], np.int8)})
    assert mask is not None
    assert mask.dtype == bool
