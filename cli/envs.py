"""`palestra envs [WORD ...]`: where agents can be trained."""

from collections.abc import Sequence

import gymnasium as gym

import palestra.envs  # noqa: F401  (registers ours)

OLD = ("GymV21Environment", "GymV26Environment", "phys2d/", "tabular/")  # wrappers, and JAX twins that need JAX


def main(args: Sequence[str]) -> int:
    """Prints the ids that hold all the given words; of several versions of one environment, the newest."""
    if set(args) & {"-h", "--help"}:
        print("usage: palestra envs [WORD ...]\n\nLists the environments whose id holds all the words.")
        return 0
    import ale_py

    gym.register_envs(ale_py)
    ids = [id for id in newest() if all(word.lower() in id.lower() for word in args)]
    if not ids:
        raise ValueError(f"no environment's id holds {' and '.join(map(repr, args))}; `palestra envs` lists them all")
    for id in ids:
        limit = gym.spec(id).max_episode_steps
        print(f"{id:<40}{f'at most {limit} steps' if limit else ''}".rstrip())
    return 0


def newest() -> list[str]:
    """Returns the ids that can be played, ours first, without older versions."""
    best: dict[tuple[str | None, str], tuple[int, str]] = {}
    for id, spec in gym.registry.items():
        if id.startswith(OLD) or (spec.namespace is None and "NoFrameskip" in id):
            continue
        key = (spec.namespace, spec.name)
        best[key] = max(best.get(key, (-1, "")), (spec.version or 0, id))
    atari = {name for namespace, name in best if namespace == "ALE"}
    ids = [id for (namespace, name), (_, id) in best.items() if namespace is not None or name not in atari]
    return sorted(ids, key=lambda id: (not id.startswith("palestra/"), id.startswith("ALE/"), id))
