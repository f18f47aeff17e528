"""Slow, readable twins of the compiled kernels: the oracles of their tests."""

from typing import Any


class NaiveReplay:
    """Twin of `agents/replay.py`: stores whole stacks; a ring's rows are only counted, to know what is overwritten."""

    def __init__(self, num_rows: int, num_envs: int, frame_stack: int, n_step: int, discount: float) -> None:
        self.num_rows, self.frame_stack, self.n_step, self.discount = num_rows, frame_stack, n_step, discount
        self.episodes: list[list[list[dict[str, Any]]]] = [[[]] for _ in range(num_envs)]  # environment, episode, step
        self.rows_written = [0] * num_envs

    def add(self, transition: Any) -> None:
        """Appends a step to each environment's running episode and begins another where that ended."""
        for e, episodes in enumerate(self.episodes):
            if not episodes[-1]:
                self.rows_written[e] += self.frame_stack  # all frames of the first observation
            step = {k: None if v is None else v[e].copy() for k, v in transition._asdict().items()}
            episodes[-1].append(step | {"row": self.rows_written[e] - 1})  # where its newest frame stands
            self.rows_written[e] += 1  # the newest frame of next_obs
            if step["terminated"] or step["truncated"]:
                episodes.append([])

    def items(self) -> list[tuple[Any, ...]]:
        """Lists what can be drawn: (obs, action, reward, next_obs, discount, next_mask) as bytes and numbers."""
        items = []
        for e, episodes in enumerate(self.episodes):
            for episode in episodes:
                for i, step in enumerate(episode):
                    if step["row"] - (self.frame_stack - 1) >= self.rows_written[e] - self.num_rows:
                        items.append(self._item(episode[i : i + self.n_step]))
        return items

    def _item(self, window: list[dict[str, Any]]) -> tuple[Any, ...]:
        first, last = window[0], window[-1]
        total = sum(float(step["reward"]) * self.discount**k for k, step in enumerate(window))
        discount = 0.0 if last["terminated"] else self.discount ** len(window)
        mask = None if last["next_mask"] is None else last["next_mask"].tobytes()
        return first["obs"].tobytes(), int(first["action"]), total, last["next_obs"].tobytes(), discount, mask
