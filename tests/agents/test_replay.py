"""The replay memory against a naive one that stores whole stacks, and its size."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palestra.agents.agent import Transition
from palestra.agents.replay import Batch, Replay, bytes_needed, num_rows
from tests.naive import NaiveReplay

pytestmark = pytest.mark.kernel

NUM_ACTIONS = 3


def play(
    rng: np.random.Generator, steps: int, num_envs: int, frame_stack: int, p_end: float, masked: bool
) -> Iterator[Transition]:
    """Plays random episodes of frames of three bytes, whose first stacks hold any frames."""
    shape = (frame_stack, 3) if frame_stack > 1 else (3,)
    obs = rng.integers(0, 256, (num_envs, *shape), np.uint8)
    mask = rng.random((num_envs, NUM_ACTIONS)) < 0.5 if masked else None
    for _ in range(steps):
        next_obs = np.roll(obs, -1, axis=1)
        next_obs.reshape(num_envs, -1, 3)[:, -1] = rng.integers(0, 256, (num_envs, 3), np.uint8)
        next_mask = rng.random((num_envs, NUM_ACTIONS)) < 0.5 if masked else None
        action, reward = rng.integers(0, NUM_ACTIONS, num_envs), rng.integers(-3, 4, num_envs).astype(np.float64)
        terminated, truncated = rng.random((2, num_envs)) < p_end
        yield Transition(obs, action, reward, next_obs, terminated, truncated, mask, next_mask)
        anew = (terminated | truncated) & (rng.random(num_envs) < 0.7)  # else a life is lost, and the game goes on
        obs, mask = next_obs.copy(), next_mask
        obs[anew] = rng.integers(0, 256, (int(anew.sum()), *shape), np.uint8)


def items(batch: Batch) -> list[tuple[Any, ...]]:
    masks = [None] * len(batch.action) if batch.next_mask is None else [mask.tobytes() for mask in batch.next_mask]
    rows = zip(*batch[:5], masks, strict=True)
    return [(o.tobytes(), int(a), float(r), n.tobytes(), float(d), m) for o, a, r, n, d, m in rows]


@pytest.mark.kernel
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.integers(1, 60),
    num_envs=st.integers(1, 4),
    frame_stack=st.integers(1, 4),
    n_step=st.integers(1, 5),
    capacity=st.integers(1, 60),
    p_end=st.sampled_from([0.0, 0.05, 0.3, 0.9]),
    masked=st.booleans(),
)
def test_draws_what_the_naive_memory_holds_and_all_of_it(
    seed: int, steps: int, num_envs: int, frame_stack: int, n_step: int, capacity: int, p_end: float, masked: bool
) -> None:
    rng = np.random.default_rng(seed)
    shape = (frame_stack, 3) if frame_stack > 1 else (3,)
    replay = Replay(
        capacity, shape, np.uint8, num_envs=num_envs, frame_stack=frame_stack, n_step=n_step, discount=0.5, seed=seed
    )
    # γ = 1/2 and whole rewards keep the sums exact.
    naive = NaiveReplay(num_rows(capacity, num_envs, frame_stack), num_envs, frame_stack, n_step, 0.5)
    for transition in play(rng, steps, num_envs, frame_stack, p_end, masked):
        replay.add(transition)
        naive.add(transition)
    held = naive.items()
    assert len(replay) == len(held)
    if not held:
        with pytest.raises(ValueError, match="cannot be drawn"):
            replay.sample(1)
        return
    # Uniform draws leave one of m items out with a probability below m exp(-30) after 30 m draws.
    assert set(items(replay.sample(30 * len(held)))) == set(held)


@pytest.mark.kernel
def test_draws_are_uniform() -> None:
    replay = Replay(50, (2, 3), np.uint8, num_envs=2, frame_stack=2, discount=0.5, seed=1)
    for transition in play(np.random.default_rng(0), 200, 2, 2, 0.2, masked=False):
        replay.add(transition)
    draws, size = items(replay.sample(20_000)), len(replay)
    counts = np.array([draws.count(item) for item in set(draws)])
    assert len(counts) == size
    # Each count is binomial: mean 20000 / m, deviation below its root; 5 deviations fail once in a million.
    assert np.abs(counts - 20_000 / size).max() < 5 * np.sqrt(20_000 / size)


@pytest.mark.kernel
def test_terminal_discount_is_zero_and_truncation_bootstraps() -> None:
    def step(value: int, terminated: bool, truncated: bool) -> Transition:
        obs, after = np.array([[value]], np.float32), np.array([[value + 1]], np.float32)
        ends = np.array([terminated]), np.array([truncated])
        return Transition(obs, np.array([0]), np.array([1.0]), after, *ends, None, None)

    for terminated, discount in ((True, 0.0), (False, 0.25)):
        replay = Replay(9, (1,), np.float32, n_step=3, discount=0.5)
        replay.add(step(0, False, False))
        replay.add(step(1, terminated, not terminated))
        replay.add(step(70, False, False))  # the next episode is out of reach
        batch = replay.sample(64)
        first = batch.obs[:, 0] == 0
        assert first.any()
        assert set(batch.reward[first]) == {1.5}
        assert set(batch.next_obs[first, 0]) == {2.0}
        assert set(batch.discount[first]) == {discount}


def test_goes_on_from_its_state_alike() -> None:
    def fresh() -> Replay:
        return Replay(40, (3, 3), np.uint8, num_envs=2, frame_stack=3, n_step=2, seed=5)

    transitions = list(play(np.random.default_rng(0), 60, 2, 3, 0.1, masked=True))
    whole, before, after = fresh(), fresh(), fresh()
    for transition in transitions:
        whole.add(transition)
    for transition in transitions[:11]:
        before.add(transition)
    for transition in transitions[50:]:  # what it held is forgotten
        after.add(transition)
    after.restore(before.state())
    for transition in transitions[11:]:
        after.add(transition)
    assert len(after) == len(whole)
    assert items(after.sample(100)) == items(whole.sample(100))


def test_a_million_atari_transitions_fit_into_7_3_gigabytes() -> None:
    # a million frames of 84 x 84 bytes are 7.06 GB; 7.3 leaves 3 % for the rest
    for num_envs in (1, 8, 64):
        assert bytes_needed(1_000_000, (4, 84, 84), np.uint8, num_envs=num_envs, frame_stack=4) <= 7.3e9


@pytest.mark.parametrize(("num_envs", "frame_stack", "masked"), [(1, 1, False), (3, 4, False), (2, 4, True)])
def test_bytes_needed_is_what_the_arrays_take(num_envs: int, frame_stack: int, masked: bool) -> None:
    shape = (frame_stack, 3) if frame_stack > 1 else (3,)
    replay = Replay(1000, shape, np.uint8, num_envs=num_envs, frame_stack=frame_stack)
    replay.add(next(play(np.random.default_rng(0), 1, num_envs, frame_stack, 0.0, masked)))
    needed = bytes_needed(
        1000, shape, np.uint8, num_envs=num_envs, frame_stack=frame_stack, num_masked=NUM_ACTIONS * masked
    )
    assert replay.nbytes == needed


def test_holds_its_capacity_when_episodes_are_long() -> None:
    replay = Replay(1000, (4, 3), np.uint8, num_envs=2, frame_stack=4)
    for transition in play(np.random.default_rng(0), 1500, 2, 4, 1 / 500, masked=False):
        replay.add(transition)
    assert len(replay) >= 1000


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="n_step is 0"):
        Replay(10, (3,), np.uint8, n_step=0)
    with pytest.raises(ValueError, match="do not begin with a stack of 4"):
        Replay(10, (3, 3), np.uint8, frame_stack=4)
    replay = Replay(10, (3,), np.uint8)
    transition = next(play(np.random.default_rng(0), 1, 1, 1, 0.0, masked=False))
    with pytest.raises(ValueError, match="must have shape"):
        replay.add(transition._replace(obs=np.zeros((2, 3), np.uint8)))
    replay.add(transition)
    with pytest.raises(ValueError, match="unlike those before"):
        replay.add(transition._replace(next_mask=np.ones((1, NUM_ACTIONS), np.bool_)))
    with pytest.raises(ValueError, match="not"):
        Replay(11, (3,), np.uint8).restore(replay.state())
