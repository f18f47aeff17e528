"""Replay memory that stores every frame once, for vectors and pixels, one or many environments.

Each environment has a ring of rows. A row holds the newest frame of one observation and, once it is known, the action
taken there, its reward and its end. An observation of `frame_stack` frames is the last `frame_stack` rows, and the next
observation ends one row further. An episode begins with all frames of its first observation, and its last sight has a
row like any other: no stack reaches across an end, and truncated episodes can be bootstrapped.

Mnih et al. (Nature 518, 2015, Methods, "Training algorithm") for uniform draws; Sutton and Barto (2018), section 7.1,
for n steps. A window of n steps that reaches the newest observation of a running episode is cut there and bootstraps.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

from palestra.agents.agent import Array, Transition
from palestra.envs.rng import randint, seed_state

STEP, TERMINATED = 1, 2  # a row's flags; STEP: a transition starts here and its whole stack is stored
SPARE = 0.02  # rows beyond the capacity, for the first and last observations of episodes


class Batch(NamedTuple):
    """B transitions of up to n steps, drawn uniformly."""

    obs: Array  # [B, ...]
    action: NDArray[np.int64]  # [B]
    reward: NDArray[np.float32]  # [B], discounted sum of the rewards of the steps
    next_obs: Array  # [B, ...], after the steps
    discount: NDArray[np.float32]  # [B], what the value of next_obs counts: γ^steps, 0 where terminated
    next_mask: NDArray[np.bool_] | None  # [B, A], Ω at next_obs


def num_rows(capacity: int, num_envs: int = 1, frame_stack: int = 1) -> int:
    """Returns the rows of each environment's ring for a capacity in transitions, all environments together."""
    return math.ceil(capacity * (1 + SPARE) / num_envs) + frame_stack + 1


def bytes_needed(
    capacity: int,
    obs_shape: tuple[int, ...],
    obs_dtype: DTypeLike,
    *,
    num_envs: int = 1,
    frame_stack: int = 1,
    num_masked: int = 0,
) -> int:
    """Returns the bytes that a full memory takes; `num_masked` is the number of actions where Ω is stored, else 0."""
    frame = math.prod(_frame_shape(obs_shape, frame_stack)) * np.dtype(obs_dtype).itemsize
    return num_envs * num_rows(capacity, num_envs, frame_stack) * (frame + 8 + 4 + 1 + num_masked)


def _frame_shape(obs_shape: tuple[int, ...], frame_stack: int) -> tuple[int, ...]:
    return obs_shape if frame_stack == 1 else obs_shape[1:]


class Replay:
    """A memory of about `capacity` transitions with discrete actions; the oldest are overwritten.

    Memory is taken from the machine as rows are first written. Short episodes leave room for fewer transitions than
    `capacity`, since each costs `frame_stack` rows beside its steps.

    Raises:
        ValueError: a size is below one, γ is no discount, or observations do not begin with `frame_stack` frames.
    """

    def __init__(
        self,
        capacity: int,
        obs_shape: tuple[int, ...],
        obs_dtype: DTypeLike,
        *,
        num_envs: int = 1,
        frame_stack: int = 1,
        n_step: int = 1,
        discount: float = 0.99,
        seed: int = 0,
    ) -> None:
        sizes = {"capacity": capacity, "num_envs": num_envs, "frame_stack": frame_stack, "n_step": n_step}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} is {size}, but at least one is wanted")
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"the discount must lie between 0 and 1, but is {discount}")
        if frame_stack > 1 and obs_shape[:1] != (frame_stack,):
            raise ValueError(f"observations of shape {obs_shape} do not begin with a stack of {frame_stack} frames")
        self.num_envs, self.frame_stack = num_envs, frame_stack
        self._obs_shape, self._n_step, self._discount = obs_shape, n_step, discount
        self._num_rows = num_rows(capacity, num_envs, frame_stack)
        rows = (self._num_rows, num_envs)
        self._rows: dict[str, Array] = {  # and "mask" [rows, num_envs, A], made by the first transition that has one
            "frame": np.zeros((*rows, math.prod(_frame_shape(obs_shape, frame_stack))), obs_dtype),
            "action": np.zeros(rows, np.int64),
            "reward": np.zeros(rows, np.float32),
            "flags": np.zeros(rows, np.uint8),
        }
        self._rings: dict[str, Array] = {
            "head": np.zeros(num_envs, np.int64),  # the row to be written next
            "filled": np.zeros(num_envs, np.int64),  # rows written so far, at most all of them
            "count": np.zeros(num_envs, np.int64),  # transitions that can be drawn
            "first": np.ones(num_envs, np.bool_),  # the next transition begins an episode
        }
        self._rng = seed_state(seed)
        self._drawn = np.empty((2, 0, self._rows["frame"].shape[2], frame_stack), obs_dtype)  # obs, next_obs

    def __len__(self) -> int:
        """Counts the transitions that can be drawn."""
        return int(self._rings["count"].sum())

    @property
    def nbytes(self) -> int:
        """Bytes of the memory when it is full."""
        return sum(array.nbytes for array in self._rows.values())

    def add(self, transition: Transition) -> None:
        """Stores a step of each environment, which goes on from that environment's last step unless that ended.

        Raises:
            ValueError: the batch is not one step of each environment, or only some transitions come with Ω.
        """
        obs, next_obs = (self._flat(seen) for seen in (transition.obs, transition.next_obs))
        self._check_mask(transition.next_mask)
        terminated = np.asarray(transition.terminated, np.bool_)
        rows, rings = self._rows, self._rings
        at = _push_kernel(
            rows["frame"], rows["flags"], rings["head"], rings["filled"], rings["count"], rings["first"],
            obs, next_obs, terminated, terminated | transition.truncated,
        )  # fmt: skip
        env = np.arange(self.num_envs)
        rows["action"][at, env] = transition.action
        rows["reward"][at, env] = transition.reward
        if transition.next_mask is not None:
            rows["mask"][(at + 1) % self._num_rows, env] = transition.next_mask

    def cut(self) -> None:
        """Ends the running episodes: what is added next begins new ones. Their last sights are bootstrapped."""
        self._rings["first"][:] = True

    def sample(self, batch_size: int) -> Batch:
        """Draws transitions uniformly, with replacement; the next draw writes over the observations.

        Stacks lie in memory with their frames interleaved, which is torch's channels_last.

        Raises:
            ValueError: the memory is empty, or the batch size is below one.
        """
        if batch_size < 1 or not len(self):
            raise ValueError(f"{batch_size} of {len(self)} transitions cannot be drawn; at least one of each is wanted")
        rows, filled = self._rows, int(self._rings["filled"].max())
        at, after, env, reward, discount = _draw_kernel(
            rows["flags"], rows["reward"], filled, self._n_step, self._discount, batch_size, self._rng
        )
        if self._drawn.shape[1] != batch_size:
            self._drawn = np.empty((2, batch_size, *self._drawn.shape[2:]), self._drawn.dtype)
        for row, out in zip((at, after), self._drawn, strict=True):
            _gather_kernel(rows["frame"], row, env, out)
        if self.frame_stack > 1:
            obs, next_obs = np.moveaxis(self._drawn.reshape(2, batch_size, *self._obs_shape[1:], -1), -1, 2)
        else:
            obs, next_obs = self._drawn.reshape(2, batch_size, *self._obs_shape)
        next_mask = rows["mask"][after, env] if "mask" in rows else None
        return Batch(obs, rows["action"][at, env], reward, next_obs, discount, next_mask)

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on; the rows are views, to be written out before the next `add`."""
        used = int(self._rings["filled"].max())
        rows = {name: array[:used] for name, array in self._rows.items()}
        rings = {name: array.copy() for name, array in self._rings.items()}
        return {"num_rows": self._num_rows, "frame_stack": self.frame_stack, "rng": self._rng.copy(), **rows, **rings}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave to a memory of the same sizes.

        Raises:
            ValueError: the sizes differ.
        """
        given = (int(state["num_rows"]), len(state["head"]), int(state["frame_stack"]), *state["frame"].shape[2:])
        wanted = (self._num_rows, self.num_envs, self.frame_stack, *self._rows["frame"].shape[2:])
        if given != wanted:
            raise ValueError(
                f"the saved replay memory has (rows, environments, frame_stack, frame size) {given}, not {wanted}"
            )
        self._rows.pop("mask", None)
        if "mask" in state:
            self._rows["mask"] = np.zeros((self._num_rows, *state["mask"].shape[1:]), np.bool_)
        for name, array in self._rows.items():
            array[: len(state[name])] = state[name]
        self._rows["flags"][len(state["flags"]) :] = 0
        for name, array in self._rings.items():
            array[:] = state[name]
        self._rng[:] = state["rng"]

    def _flat(self, obs: Array) -> Array:
        wanted = (self.num_envs, *self._obs_shape)
        if np.shape(obs) != wanted:
            raise ValueError(f"observations must have shape {list(wanted)}, but have {list(np.shape(obs))}")
        frame = self._rows["frame"]
        return np.ascontiguousarray(obs, frame.dtype).reshape(self.num_envs, self.frame_stack, frame.shape[2])

    def _check_mask(self, next_mask: NDArray[np.bool_] | None) -> None:
        if next_mask is not None and not self._rings["filled"].any() and "mask" not in self._rows:
            self._rows["mask"] = np.zeros((self._num_rows, self.num_envs, next_mask.shape[1]), np.bool_)
        if (next_mask is None) == ("mask" in self._rows):
            given = "no next_mask" if next_mask is None else "a next_mask"
            raise ValueError(f"this transition has {given}, unlike those before it")


@njit(cache=True)
def _push_kernel(frame, flags, head, filled, count, first, obs, next_obs, terminated, ended):  # type: ignore[no-untyped-def]
    """Writes a step of each environment and returns the rows `[E]` at which they start.

    `frame` `[R, E, F]`, `flags` `[R, E]`, `obs` and `next_obs` `[E, K, F]`, the others `[E]`. The row before `head`
    holds the present observation of a running episode.
    """
    num_rows, num_envs = flags.shape
    stack = obs.shape[1]
    rows = np.empty(num_envs, np.int64)
    for e in range(num_envs):
        begin = 0 if first[e] else stack  # the frames of obs that are yet to be written; then that of next_obs
        for k in range(begin, stack + 1):
            if k == stack:
                rows[e] = (head[e] - 1) % num_rows
                flags[rows[e], e] = STEP | TERMINATED * terminated[e]
                count[e] += 1
            row = head[e]
            frame[row, e] = next_obs[e, stack - 1] if k == stack else obs[e, k]
            broken = (row + stack - 1) % num_rows  # its stack begins with the frame just overwritten
            if flags[broken, e] & STEP:
                flags[broken, e] = 0
                count[e] -= 1
            head[e] = (row + 1) % num_rows
            filled[e] = min(filled[e] + 1, num_rows)
        first[e] = ended[e]
    return rows


@njit(cache=True)
def _draw_kernel(flags, reward, filled, n_step, discount, batch_size, rng):  # type: ignore[no-untyped-def]
    """Draws `[B]` rows that start a transition, uniformly by rejection, and walks up to `n_step` steps from each.

    Returns the rows, the rows after the steps, the environments, the sums of rewards and the discounts, all `[B]`.
    """
    num_rows, num_envs = flags.shape
    rows, after, envs = np.empty(batch_size, np.int64), np.empty(batch_size, np.int64), np.empty(batch_size, np.int64)
    returns, discounts = np.empty(batch_size, np.float32), np.empty(batch_size, np.float32)
    for b in range(batch_size):
        row, e = 0, 0
        while True:
            drawn = randint(rng, filled * num_envs)
            row, e = drawn // num_envs, drawn % num_envs
            if flags[row, e] & STEP:
                break
        rows[b], envs[b] = row, e
        total, scale = 0.0, 1.0
        for _ in range(n_step):
            total += scale * reward[row, e]
            scale *= discount
            if flags[row, e] & TERMINATED:
                scale = 0.0
            row = (row + 1) % num_rows
            if not flags[row, e] & STEP:  # the last sight of an episode, or the newest of a running one
                break
        after[b], returns[b], discounts[b] = row, total, scale
    return rows, after, envs, returns, discounts


@njit(cache=True)
def _gather_kernel(frame, rows, envs, out):  # type: ignore[no-untyped-def]
    """Copies the stacks that end at `rows` `[B]` of `frame` `[R, E, F]` to `out` `[B, F, K]`."""
    num_rows, _, size = frame.shape
    stack = out.shape[2]
    for b in range(rows.shape[0]):
        to = out[b]
        if stack == 1:
            to.reshape(size)[:] = frame[rows[b], envs[b]]
            continue
        for k in range(stack):
            source = frame[(rows[b] - stack + 1 + k) % num_rows, envs[b]]
            for i in range(size):
                to[i, k] = source[i]
