"""Slow, readable twins of the compiled kernels: the oracles of their tests."""

from typing import Any

import numpy as np


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


class NaiveRandom:
    """Twin of `envs/rng.py`: xoshiro256++ on Python's whole numbers, after Blackman and Vigna's C code."""

    MASK = 2**64 - 1

    def __init__(self, state: Any) -> None:
        self.state = [int(word) for word in state]

    def next_uint64(self) -> int:
        """Returns 64 random bits."""
        s = self.state
        result = (self._rotate_left((s[0] + s[3]) & self.MASK, 23) + s[0]) & self.MASK
        t = (s[1] << 17) & self.MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = self._rotate_left(s[3], 45)
        return result

    def uniform(self) -> float:
        """Returns a number in [0, 1) from the upper 53 bits."""
        return (self.next_uint64() >> 11) / 2**53

    def randint(self, n: int) -> int:
        """Returns a number in [0, n) from the upper 32 bits."""
        return (self.next_uint64() >> 32) * n >> 32

    def categorical(self, probability: Any) -> int:
        """Returns the first index at which the running sum passes a uniform number, else the last that can be."""
        u = self.uniform()
        for k, p in enumerate(probability):
            u -= p
            if p > 0 and u < 0:
                return k
        return max(k for k, p in enumerate(probability) if p > 0)

    def _rotate_left(self, x: int, k: int) -> int:
        return (x << k | x >> (64 - k)) & self.MASK


class NaiveGrid:
    """Twin of `envs/gridrules.py`: looks everything up on the map, letter by letter."""

    MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1), (0, 0))
    TURNS = ((0, 3, 1), (1, 0, 2), (2, 1, 3), (3, 2, 0), (4, 7, 5), (5, 4, 6), (6, 5, 7), (7, 6, 4), (8, 8, 8))

    def __init__(
        self,
        rows: list[str],
        slip: float = 0.0,
        wind: list[int] | None = None,
        step_reward: float = 0.0,
        bump_reward: float | None = None,
        rewards: dict[str, float] | None = None,
    ) -> None:
        self.letters = {(r, c): letter for r, row in enumerate(rows) for c, letter in enumerate(row)}
        self.width = len(rows[0])
        self.slip, self.wind = slip, wind or [0] * self.width
        self.step_reward = step_reward
        self.bump_reward = step_reward if bump_reward is None else bump_reward
        self.rewards = {"G": 1.0, "P": -1.0, "C": -100.0} | {str(d): float(d) for d in range(10)} | (rewards or {})

    def outcomes(self, s: int, a: int) -> list[tuple[float, int, float, bool]]:
        """Lists probability, next state, reward and end of an action, as Gymnasium's `P[s][a]` does."""
        if not self.slip:
            return [(1.0, *self.move(s, a))]
        chances = (1 - self.slip, self.slip / 2, self.slip / 2)
        return [(p, *self.move(s, turn)) for p, turn in zip(chances, self.TURNS[a], strict=True)]

    def bumps(self, s: int, move: int) -> bool:
        """Says whether a move leads off the grid or into a wall from a cell where one can move."""
        here = divmod(s, self.width)
        (row, col), (d_row, d_col) = here, self.MOVES[move]
        moving = self.letters[here] not in "#GPC0123456789" and not self._is_jump(self.letters[here])
        return moving and self._is_wall((row + d_row, col + d_col))

    def move(self, s: int, move: int) -> tuple[int, float, bool]:
        """Returns the next state, the reward and the end of a move that did not slip."""
        place = divmod(s, self.width)
        letter = self.letters[place]
        if letter in "#GPC0123456789":
            return s, 0.0, True
        if self._is_jump(letter):
            return self._find(letter.lower()), self.rewards.get(letter, self.step_reward), False
        gust = self.wind[place[1]]
        bump = self.bumps(s, move)
        if not bump:
            place = place[0] + self.MOVES[move][0], place[1] + self.MOVES[move][1]
        for _ in range(abs(gust)):
            blown = place[0] - (1 if gust > 0 else -1), place[1]
            place = place if self._is_wall(blown) else blown
        into = self.letters[place]
        if into == "C":
            return self._find("S"), self.rewards["C"], False
        if into in "GP0123456789":
            return place[0] * self.width + place[1], self.rewards[into], True
        return place[0] * self.width + place[1], self.bump_reward if bump else self.step_reward, False

    def _is_wall(self, place: tuple[int, int]) -> bool:
        return self.letters.get(place, "#") == "#"

    def _is_jump(self, letter: str) -> bool:
        return letter.isupper() and letter not in "SGPC"

    def _find(self, letter: str) -> int:
        return next(row * self.width + col for (row, col), other in self.letters.items() if other == letter)


def naive_maze(height: int, width: int, braid: float, random: NaiveRandom) -> list[str]:
    """Twin of `envs/maze.py`: rooms and passages as sets, written out as rows of letters at the end."""
    rows, cols = (height + 1) // 2, (width + 1) // 2
    linked: dict[tuple[int, int], set[tuple[int, int]]] = {(r, c): set() for r in range(rows) for c in range(cols)}

    def beside(room: tuple[int, int]) -> list[tuple[int, int]]:
        around = [(room[0] + dr, room[1] + dc) for dr, dc in ((-1, 0), (0, 1), (1, 0), (0, -1))]
        return [other for other in around if other in linked]

    def link(room: tuple[int, int], other: tuple[int, int]) -> None:
        linked[room].add(other)
        linked[other].add(room)

    path = [(0, 0)]
    while path:
        new = [other for other in beside(path[-1]) if not linked[other]]
        if new:
            other = new[random.randint(len(new))]
            link(path[-1], other)
            path.append(other)
        else:
            path.pop()
    for room in linked if braid else ():
        if len(linked[room]) == 1 and random.uniform() < braid:
            behind = [other for other in beside(room) if other not in linked[room]]
            link(room, behind[random.randint(len(behind))])
    return _written(height, width, linked)


def _written(height: int, width: int, linked: dict[tuple[int, int], set[tuple[int, int]]]) -> list[str]:
    def place(room: tuple[int, int]) -> tuple[int, int]:
        row = height - 1 if room[0] == (height + 1) // 2 - 1 else 2 * room[0]
        return row, width - 1 if room[1] == (width + 1) // 2 - 1 else 2 * room[1]

    letters = [["#"] * width for _ in range(height)]
    for room, others in linked.items():
        for other in others:
            (top, left), (bottom, right) = sorted((place(room), place(other)))
            for row in range(top, bottom + 1):
                for col in range(left, right + 1):
                    letters[row][col] = "."
    letters[0][0], letters[-1][-1] = "S", "G"
    return ["".join(row) for row in letters]


def naive_values(mdp: Any, policy: Any = None) -> Any:
    """Returns `[S]`: the values of a policy `[S, A]` by solving the linear equations, or the optimal ones by sweeps."""
    num_states, num_actions = mdp.allowed.shape
    follow = np.zeros((num_states, num_actions, num_states))  # probability to go on in each state
    for s, a, k in np.ndindex(mdp.next_state.shape):
        follow[s, a, mdp.next_state[s, a, k]] += mdp.probability[s, a, k] * (not mdp.terminated[s, a, k])
    reward = (mdp.probability * mdp.reward).sum(axis=2)
    if policy is not None:
        stay = np.einsum("sa,sat->st", policy, follow)
        return np.linalg.solve(np.eye(num_states) - mdp.discount * stay, (policy * reward).sum(axis=1))
    values = np.zeros(num_states)
    for _ in range(20_000):
        old = values
        values = np.where(mdp.allowed, reward + mdp.discount * follow @ old, -np.inf).max(axis=1)
        if np.abs(values - old).max() < 1e-14:
            break
    return values


def naive_sweep(mdp: Any, values: Any, order: Any, in_place: bool) -> tuple[Any, Any]:
    """Twin of `agents/bellman.py: sweep`: new values and greedy actions `[S]`, visiting states in `order`."""
    old = np.array(values)
    new, policy = old if in_place else old.copy(), np.zeros(len(old), np.int64)
    for s in order:
        worth = {}
        for a in np.flatnonzero(mdp.allowed[s]):
            worth[a] = 0.0
            for k in range(mdp.next_state.shape[2]):
                future = 0.0 if mdp.terminated[s, a, k] else mdp.discount * old[mdp.next_state[s, a, k]]
                worth[a] += mdp.probability[s, a, k] * (mdp.reward[s, a, k] + future)
        policy[s] = max(worth, key=lambda a: worth[a])
        new[s] = worth[policy[s]]
    return new, policy


def naive_settles(mdp: Any, actions: Any) -> Any:
    """Says for each state `[S]` whether a policy, `[S]` actions, surely ends or comes to rest among zero rewards."""
    num_states = len(mdp.start)
    follow, costly = np.zeros((num_states, num_states)), np.zeros(num_states)
    for s, a in enumerate(actions):
        for k in range(mdp.next_state.shape[2]):
            follow[s, mdp.next_state[s, a, k]] += mdp.probability[s, a, k] * (not mdp.terminated[s, a, k])
        costly[s] = (mdp.probability[s, a] * mdp.reward[s, a]).sum() != 0
    later = np.linalg.matrix_power(follow, 2**20)
    return sum(np.linalg.matrix_power(follow, n) for n in range(num_states)) @ later @ costly < 1e-9


def naive_q_learning(
    mdp: Any, q: Any, rates: Any, epsilons: Any, generators: tuple[NaiveRandom, NaiveRandom], limit: int
) -> tuple[list[list[float]], list[tuple[float, int]]]:
    """Twin of `agents/q_kernels.py: play`: a step for each of `epsilons`, from a fresh episode.

    Returns the table and the (return, length) of the episodes that ended; `generators` are of actions and environment.
    """
    act, nature = generators
    q, visits = [list(map(float, row)) for row in q], np.zeros(mdp.allowed.shape, int)
    starts = np.flatnonzero(mdp.start)
    cumulative = mdp.start[starts].cumsum() / mdp.start[starts].cumsum()[-1]

    def first() -> int:
        u = nature.uniform()
        return int(next(s for s, c in zip(starts, cumulative, strict=True) if u < c))

    def greedy(s: int) -> int:
        return max(np.flatnonzero(mdp.allowed[s]), key=lambda a: q[s][a])  # type: ignore[no-any-return]

    s, total, length, episodes = first(), 0.0, 0, []
    for epsilon in epsilons:
        bits = act.next_uint64()
        choice = np.flatnonzero(mdp.allowed[s])
        explore = (bits >> 32) < int(epsilon * 2**32)
        a = choice[(bits % 2**32) * len(choice) >> 32] if explore else greedy(s)
        k = 0
        if mdp.next_state.shape[2] > 1:
            u, running = nature.uniform(), mdp.probability[s, a].cumsum()
            k = next(k for k, c in enumerate(running / running[-1]) if u < c)
        after, reward = int(mdp.next_state[s, a, k]), float(mdp.reward[s, a, k])
        ended = bool(mdp.terminated[s, a, k])
        value = 0.0 if ended else q[after][greedy(after)]
        rate = float(rates[min(visits[s, a], len(rates) - 1)])
        visits[s, a] += 1
        q[s][a] += rate * (reward + mdp.discount * value - q[s][a])
        total, length, s = total + reward, length + 1, after
        if ended or length == limit:
            episodes.append((total, length))
            s, total, length = first(), 0.0, 0
    return q, episodes
