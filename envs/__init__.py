"""What is acted upon. Importing this package registers our environments with Gymnasium: the only list of them."""

from typing import Any

import gymnasium as gym

# The examples of Sutton and Barto, "Reinforcement Learning", 2nd edition, 2018: name -> (time limit, options)
_GRID_WORLDS: dict[str, tuple[int, dict[str, Any]]] = {
    "GridWorld": (1000, {}),  # any map; without one Figure 8.2, the Dyna maze
    "Classic4x4": (  # Example 4.1
        200,
        {"map": "GSSS/SSSS/SSSS/SSSG", "step_reward": -1.0, "rewards": {"G": -1.0}},
    ),
    "JumpGrid": (  # Examples 3.5 and 3.8
        200,
        {"map": "SASBS/SSSSS/SSSbS/SSSSS/SaSSS", "bump_reward": -1.0, "rewards": {"A": 10.0, "B": 5.0}},
    ),
    "WindyGrid": (  # Example 6.5; of Exercise 6.9, king's moves are moves="8", with stay moves="9"
        1000,
        {
            "map": "........../........../........../S......G../........../........../..........",
            "wind": [0, 0, 0, 1, 1, 1, 2, 2, 1, 0],
            "step_reward": -1.0,
            "rewards": {"G": -1.0},
        },
    ),
    "Cliff": (  # Example 6.6
        1000,
        {
            "map": "............/............/............/SCCCCCCCCCCG",
            "step_reward": -1.0,
            "rewards": {"G": -1.0, "C": -100.0},
        },
    ),
}

for _name, (_limit, _options) in _GRID_WORLDS.items():
    gym.register(
        f"palestra/{_name}-v0",
        entry_point="palestra.envs.gridworld:GridWorldEnv",
        vector_entry_point="palestra.envs.gridworld:GridWorldVectorEnv",
        max_episode_steps=_limit,
        kwargs=_options,
    )

gym.register(
    "palestra/Maze-v0",
    entry_point="palestra.envs.maze:maze_env",
    vector_entry_point="palestra.envs.maze:maze_vector_env",
    max_episode_steps=10_000,
    kwargs={"step_reward": -1.0, "rewards": {"G": -1.0}},
)

gym.register("palestra/DeepSea-v0", entry_point="palestra.envs.deep_sea:DeepSeaEnv")

gym.register(
    "palestra/Go-v0",
    entry_point="palestra.envs.go.env:GoEnv",
    vector_entry_point="palestra.envs.go.vector:GoVectorEnv",
    kwargs={"size": 9},
)

gym.register(
    "palestra/HideAndSeek-v0",
    entry_point="palestra.envs.teams:hide_and_seek",
    vector_entry_point="palestra.envs.teams:HideAndSeekTeams",
)
for _name, _single in (
    ("ObjectCounting", "object_counting"),
    ("LockAndReturn", "lock_and_return"),
    ("SequentialLock", "sequential_lock"),
    ("Blueprint", "blueprint"),
    ("ShelterConstruction", "shelter_construction"),
):
    gym.register(
        f"palestra/{_name}-v0",
        entry_point=f"palestra.envs.team_tasks:{_single}",
        vector_entry_point=f"palestra.envs.team_tasks:{_name}",
    )

gym.register(  # any PettingZoo `ParallelEnv`, by its module
    "palestra/Parallel-v0",
    entry_point="palestra.envs.teams:parallel",
    vector_entry_point="palestra.envs.teams:ParallelTeams",
)

gym.register("palestra/Game-v0", entry_point="palestra.envs.game_env:GameEnv")  # any game of envs/games.py
