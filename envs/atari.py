"""Atari 2600 games through ale-py's C++ vector environment, under two named protocols.

`v5` is what Machado et al., "Revisiting the Arcade Learning Environment", JAIR 61 (2018), section 5, recommend and
the ids `ALE/*-v5` stand for; `nature` is Mnih et al., "Human-level control through deep reinforcement learning",
Nature 518 (2015), methods. Scores under the two must not be compared. What both share: 4 frames a step, the maximum
over the last two of them, 84 x 84 grey pictures, 4 of them stacked, the game's minimal action set, 30 minutes of play
at most, rewards clipped to [-1, 1] for learners. Ale-py's own defaults are neither of the two: no sticky actions,
no-ops, a FIRE at each reset and clipped rewards in the score. Its `episodic_life` resets the whole game at the loss
of a life, so it is not used here.
"""

import difflib
from dataclasses import dataclass, fields, replace
from typing import Any

import ale_py
import gymnasium as gym
import numpy as np
from ale_py.vector_env import AtariVectorEnv as AleVectorEnv
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

gym.register_envs(ale_py)

SCREEN = (210, 160)  # height and width of the console's picture
PIXELS = (84, 84)


@dataclass(frozen=True)
class Protocol:
    """What turns a game into an environment."""

    sticky: float = 0.25
    """Probability that the console repeats the previous action instead of the given one."""
    full_action_space: bool = False
    """Whether all 18 actions are offered, not only those that the game knows."""
    life_loss: bool = False
    """Whether learners take the loss of a life for the end of an episode (scores never do)."""
    reward_clip: float = 1.0
    """Bound on the rewards that learners see; scores are never clipped."""
    noop_max: int = 0
    """Most no-op frames at an episode's start, drawn uniformly."""
    fire_reset: bool = False
    """Whether FIRE is pressed after each reset."""
    frame_skip: int = 4
    """Frames a step: the action is held and the last two frames are joined by their maximum."""
    frame_stack: int = 4
    """Pictures in an observation, the newest last."""
    max_frames: int = 108_000
    """Frames after which an episode is truncated."""


PROTOCOLS = {
    "v5": Protocol(),
    "nature": Protocol(sticky=0.0, life_loss=True, noop_max=30),
}


def protocol_named(name: str, **changes: Any) -> Protocol:
    """Returns a protocol, with single fields changed.

    Raises:
        ValueError: there is no such protocol or field; the nearest is offered.
    """
    if name not in PROTOCOLS:
        raise ValueError(f"there is no Atari protocol {name!r}; there are {' and '.join(PROTOCOLS)}")
    known = [f.name for f in fields(Protocol)]
    for change in changes:
        if change not in known:
            near = difflib.get_close_matches(change, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"an Atari protocol has no field {change!r}; {hint}")
    return replace(PROTOCOLS[name], **changes)


def _ale_options(protocol: Protocol) -> dict[str, Any]:
    return {
        "max_num_frames_per_episode": protocol.max_frames,
        "repeat_action_probability": protocol.sticky,
        "full_action_space": protocol.full_action_space,
        "frameskip": protocol.frame_skip,
        "noop_max": protocol.noop_max,
        "use_fire_reset": protocol.fire_reset,
        "reward_clipping": False,
        "maxpool": True,
        "episodic_life": False,
    }


def _rom(id: str) -> str:
    return str(gym.spec(id).kwargs["game"])


class AtariVectorEnv(gym.vector.VectorEnv[Any, Any, Any]):
    """A batch of games: observations `[N, stack, 84, 84]` uint8, raw scores as rewards, reset in the same step.

    `info["life_loss"]` `[N]` says where a life was lost and the game goes on (all false if the protocol ignores it);
    `info["lives"]` `[N]` counts what is left.
    """

    def __init__(self, id: str, num_envs: int, protocol: str = "v5", **changes: Any) -> None:
        self.protocol = protocol_named(protocol, **changes)
        self._ale = AleVectorEnv(
            _rom(id),
            num_envs,
            stack_num=self.protocol.frame_stack,
            img_height=PIXELS[0],
            img_width=PIXELS[1],
            life_loss_info=self.protocol.life_loss,
            autoreset_mode=AutoresetMode.SAME_STEP,
            **_ale_options(self.protocol),
        )
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "render_modes": []}
        self.single_observation_space = self._ale.single_observation_space
        self.single_action_space = self._ale.single_action_space
        self.observation_space = self._ale.observation_space
        self.action_space = self._ale.action_space
        self._lives = np.zeros(num_envs, np.int64)
        self._frame = np.zeros(num_envs, np.int64)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Starts all games; environment i is seeded with `seed + i`, below 2**31."""
        obs, info = self._ale.reset(seed=seed, options=options)
        self._lives, self._frame = np.array(info["lives"]), np.array(info["episode_frame_number"])
        return obs, {**info, "life_loss": np.zeros(self.num_envs, np.bool_)}

    def step(self, actions: NDArray[np.int64]) -> tuple[NDArray[np.uint8], Any, Any, Any, dict[str, Any]]:
        """Holds each action for a step; `terminated` means that the game is over."""
        obs, reward, ended, truncated, info = self._ale.step(np.asarray(actions, np.int64))
        lives, frame = np.array(info["lives"]), np.array(info["episode_frame_number"])
        life_loss = ended & (lives < self._lives) & (frame > self._frame)
        self._lives, self._frame = lives, frame
        return obs, reward.astype(np.float64), ended & ~life_loss, truncated, {**info, "life_loss": life_loss}

    def close(self, **kwargs: Any) -> None:
        """Ends the emulators' threads."""
        del self._ale


class AtariEnv(gym.Env[NDArray[np.uint8], np.int64]):
    """One game for watching: what `AtariVectorEnv` shows learners, and the console's colours for people.

    The colours come from a second emulator that takes the same seeds and actions; its picture is the last step's.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012  (Gymnasium's name)

    def __init__(self, id: str, protocol: str = "v5", render_mode: str | None = None, **changes: Any) -> None:
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"{id} draws rgb_array only, but render_mode is {render_mode!r}")
        self.protocol = protocol_named(protocol, **changes)
        self.render_mode = render_mode
        rom, options = _rom(id), {**_ale_options(self.protocol), "autoreset_mode": AutoresetMode.SAME_STEP}
        stack = self.protocol.frame_stack
        self._eyes = AleVectorEnv(rom, 1, stack_num=stack, img_height=PIXELS[0], img_width=PIXELS[1], **options)
        self._camera = None
        if render_mode:
            height, width = SCREEN
            self._camera = AleVectorEnv(
                rom, 1, stack_num=1, img_height=height, img_width=width, grayscale=False, **options
            )
        self.observation_space = self._eyes.single_observation_space
        self.action_space = self._eyes.single_action_space
        self._now: tuple[Any, Any] = (None, None)  # what learners and people see
        self._restarted: tuple[Any, Any] | None = None  # the same of the game that the emulators began after an end

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Starts a game."""
        super().reset(seed=seed)
        if seed is None and self._restarted:
            self._now = self._restarted
        else:
            eyes, _ = self._eyes.reset(seed=seed)
            camera = self._camera.reset(seed=seed)[0][0, 0] if self._camera else None
            self._now = eyes[0], camera
        self._restarted = None
        return self._now[0], {}

    def get_action_meanings(self) -> list[str]:
        """Returns the names of the actions, as in NOOP, FIRE, RIGHT."""
        return [action.name for action in self._eyes.ale.get_action_set()]

    def step(self, action: np.int64) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Holds the action for a step; the reward is the raw score gained."""
        held = np.array([action], np.int64)
        eyes, reward, terminated, truncated, info = self._eyes.step(held)
        camera, _, _, _, camera_info = self._camera.step(held) if self._camera else (None, 0, 0, 0, {})
        self._now = eyes[0], None if camera is None else camera[0, 0]
        if terminated[0] or truncated[0]:
            self._restarted = self._now
            picture = None if camera is None else camera_info["final_obs"][0, 0]
            self._now = info["final_obs"][0], picture
        return self._now[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]), {}

    def render(self) -> NDArray[np.uint8] | None:
        """Returns the console's picture `[210, 160, 3]` uint8."""
        picture: NDArray[np.uint8] | None = self._now[1]
        return picture
