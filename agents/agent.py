"""The one interface of all agents, and the batch of steps that they learn from."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from palestra.envs.spec import EnvSpec

Array = NDArray[Any]
Metrics = Mapping[str, "float | Array"]  # numbers to be averaged over the rows of a log, arrays element by element


class Transition(NamedTuple):
    """A batch of B steps, one of each environment."""

    obs: Array  # [B, ...]
    action: Array  # [B, ...]
    reward: NDArray[np.float64]  # [B], as learnt from (clipped where the protocol clips)
    next_obs: Array  # [B, ...], the episode's true last sight, never the first of the next one
    terminated: NDArray[np.bool_]  # [B], nothing can be gained after it
    truncated: NDArray[np.bool_]  # [B], cut off: the value goes on, so learners bootstrap
    mask: NDArray[np.bool_] | None  # [B, A], Ω at obs
    next_mask: NDArray[np.bool_] | None  # [B, A], Ω at next_obs


class Agent(Protocol):
    """Who acts and learns.

    `train` is a generator: it yields `(step, metrics)` and the caller logs, draws, saves and stops. It goes on from
    `self.step` until at least `steps`, or until nothing is left to learn, and then closes all episodes (as
    truncations), so that what it does depends on `state()` and the environments' seed alone: a run saved between two
    calls of `train` resumes exactly. What evaluation draws is part of the state too.
    """

    Config: type  # a frozen dataclass beside the class: options and defaults, one docstring each
    default_steps: ClassVar[int]  # how long to train where nobody says
    config: Any  # a `Config`
    step: int  # steps of the environments seen so far

    def __init__(self, config: Any, obs_space: gym.Space[Any], action_space: gym.Space[Any], seed: int) -> None: ...

    @classmethod
    def defaults(cls, env: EnvSpec, steps: int) -> Any:
        """Returns the `Config` that suits an environment and a number of training steps; users override parts of it."""
        ...

    def act(
        self, obs: Array, first: NDArray[np.bool_], mask: NDArray[np.bool_] | None = None, *, explore: bool = True
    ) -> Array:
        """Chooses actions `[B, ...]` for observations `[B, ...]`; `first` `[B]` says where an episode begins."""
        ...

    def train(self, env: EnvSpec, steps: int) -> Iterator[tuple[int, Metrics]]:
        """Learns until at least `steps` steps have been seen in all, yielding at points where stopping is safe."""
        ...

    def state(self) -> dict[str, Any]:
        """Returns all that is needed to go on: nested dicts of arrays, tensors, numbers and strings.

        What only learning needs and is large stands under the key "replay", which evaluation leaves unread.
        """
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Takes back what `state` gave; arrays come as NumPy's."""
        ...


def action_mask(info: dict[str, Any]) -> NDArray[np.bool_] | None:
    """Reads Ω `[B, A]` from a vector environment's info; None where every action is allowed."""
    mask = info.get("action_mask")
    return None if mask is None else np.stack(list(mask)).astype(np.bool_)
