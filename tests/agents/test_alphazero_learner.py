"""AlphaZero's learner: what it makes of positions, and that it loses nothing where its process dies."""

import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from palestra.agents import alphazero_learner
from palestra.agents.alphazero import AlphaZeroConfig
from palestra.agents.alphazero_data import losses_of
from palestra.agents.alphazero_learner import AlphaZeroLearner, ClusterLearner
from palestra.agents.search_games import Samples
from palestra.agents.workers import Workers

CONFIG = AlphaZeroConfig(width=8, blocks=1, batch_size=16, window=200, reuse=2.0, plan=100)
MADE_OF: tuple[Any, ...] = (CONFIG, (3, 3, 3), 9, (1, 2))


def positions(seed: int, count: int = 40) -> Samples:
    """Makes up boards of which the best move is where the first plane has its one, and the first plane's side wins."""
    rng = np.random.default_rng(seed)
    best = rng.integers(9, size=count)
    policy = np.eye(9, dtype=np.float32)[best]
    obs = np.zeros((count, 3, 3, 3), np.uint8)
    obs[:, 0] = policy.reshape(-1, 3, 3)
    value = np.where(best < 4, 1.0, -1.0).astype(np.float32)
    return Samples(obs, policy, value, np.zeros((count, 0), np.int8), np.zeros(count, np.float32))


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Says whether two sets of weights are the same to the bit."""
    return all(np.array_equal(value, other[name]) for name, value in one.items())


def test_it_learns_what_it_is_shown() -> None:
    learner = AlphaZeroLearner(*MADE_OF)
    losses = [learner.learn([positions(k)], "none", 0) for k in range(12)]
    assert losses[-1]["train/policy_loss"] < 0.5 * losses[0]["train/policy_loss"]
    assert losses[-1]["train/value_loss"] < 0.7 * losses[0]["train/value_loss"]
    assert [row["train/window"] for row in losses[:7]] == [40, 80, 120, 160, 200, 200, 200]


def test_how_often_and_how_far_it_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(network: Any, batch: Any, **options: Any) -> Any:
        made.append(len(batch[0]))
        return losses_of(network, batch, **options)

    monkeypatch.setattr(alphazero_learner, "losses_of", counted)
    learner = AlphaZeroLearner(*MADE_OF)
    rates = [learner.learn([positions(0)], "none", step)["train/learning_rate"] for step in (0, 50, 100, 1000)]
    assert made == [16] * 20  # 40 positions twice each, 16 at a time, four times
    assert rates == pytest.approx([2e-3, 1e-3, 2e-5, 2e-5])  # half a cosine, not below a hundredth


def test_state_and_back_to_the_bit() -> None:
    learner, other = AlphaZeroLearner(*MADE_OF), AlphaZeroLearner(*MADE_OF[:3], (7, 8))
    learner.learn([positions(0)], "square", 0)
    other.restore(learner.state())
    for one in (learner, other):
        one.learn([positions(1)], "square", 8)
    assert same(learner.weights(), other.weights())
    other.take(AlphaZeroLearner(*MADE_OF).weights())
    assert not same(learner.weights(), other.weights())


def test_first_weights_come_from_the_seed_and_torchs_generator_stays() -> None:
    before = torch.get_rng_state()
    assert same(AlphaZeroLearner(*MADE_OF).weights(), AlphaZeroLearner(*MADE_OF).weights())
    assert torch.equal(torch.get_rng_state(), before)


class Dying:
    """Stands for a cluster whose processes die at the calls of given numbers, counted over all of them."""

    def __init__(self, *deaths: int) -> None:
        self.deaths, self.calls, self.begun = set(deaths), 0, 0

    def actor(self, kind: Callable[..., Any], *args: Any) -> Callable[..., Any]:
        """Makes an object here."""
        made, dead = kind(*args[:-1]), False
        self.begun += 1

        def call(method: str, *given: Any) -> Any:
            nonlocal dead
            self.calls += 1
            dead = dead or self.calls in self.deaths
            if dead:
                raise ChildProcessError("dead")
            return getattr(made, method)(*given)

        return call


@pytest.mark.parametrize("deaths", [(), (2,), (5,), (9, 12), (1,)])
def test_a_learner_that_dies_is_begun_anew_where_it_was(
    deaths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alphazero_learner, "REMEMBERED", 3)
    whole, cluster = AlphaZeroLearner(*MADE_OF), Dying(*deaths)
    whole.learn([positions(9)], "square", 0)
    elsewhere = ClusterLearner(cluster, *MADE_OF, state=whole.state())  # type: ignore[arg-type]
    for k in range(8):
        given = ([positions(k)], "square", 10 * k)
        assert whole.learn(*given) == elsewhere.learn(*given)
        assert same(whole.weights(), elsewhere.weights())
    assert cluster.begun == 1 + len(deaths)
    other = AlphaZeroLearner(*MADE_OF)
    other.restore(elsewhere.state())
    assert same(whole.weights(), other.weights())


def test_one_that_dies_again_and_again_is_given_up() -> None:
    learner = AlphaZeroLearner(*MADE_OF)
    elsewhere = ClusterLearner(Dying(*range(100)), *MADE_OF, state=learner.state())  # type: ignore[arg-type]
    with pytest.raises(ChildProcessError, match="the process that learns died 3 times"):
        elsewhere.learn([positions(0)], "none", 0)


class Mortal(AlphaZeroLearner):
    """A learner that says which process it is."""

    def process(self) -> int:
        """Returns the process."""
        return os.getpid()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_killed_process_of_a_cluster_is_noticed_and_another_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alphazero_learner, "AlphaZeroLearner", Mortal)
    here = Mortal(*MADE_OF)
    with Workers(1, "local") as workers:
        elsewhere = ClusterLearner(workers, *MADE_OF, state=here.state())
        for k in range(4):
            given = ([positions(k)], "square", 10 * k)
            here.learn(*given), elsewhere.learn(*given)
            if k == 1:
                os.kill(elsewhere._asked("process"), signal.SIGKILL)
        found, wanted = elsewhere.weights(), here.weights()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3, atol=1e-4, err_msg=name)
