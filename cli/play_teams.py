"""`palestra play` of hide-and-seek: a page in the browser, where one agent is yours and the others are a policy's."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from palestra.cli.match_teams import team_player
from palestra.cli.progress import say
from palestra.envs.hide_and_seek.replay import Replay
from palestra.envs.spec import EnvSpec
from palestra.envs.teams import HideAndSeekTeams, Obs

LARGEST = 10_000  # bytes of what a browser sends


class LiveGame:
    """A world in which one agent does what it is told; it begins anew when an episode is over.

    Raises:
        ValueError: another game than hide-and-seek is asked for, or there is no such agent or player.
    """

    def __init__(self, env: EnvSpec, agent: str, against: str, seed: int = 0) -> None:
        self.envs: Any = env.make_vec(1)
        if not isinstance(self.envs, HideAndSeekTeams):
            raise ValueError(f"{env.id} cannot be played in a browser; palestra/HideAndSeek-v0 can")
        if agent not in self.envs.agents:
            raise ValueError(f"there is no agent {agent!r}; there are {', '.join(self.envs.agents)}")
        self.agent, self.score = self.envs.agents.index(agent), 0.0
        self._players = [team_player(against, env) for _ in self.envs.team_names]
        self._seed, self._episodes, self._told = seed, 0, ""
        self.replay = Replay(self.envs.batch)
        self._obs: Obs = {}
        self._first = np.ones(1, np.bool_)
        self._begin()

    def step(self, keys: dict[str, Any]) -> dict[str, Any]:
        """Moves the world by what is told: x, y, turn from -1 to 1, hold and lock 0 or 1, again to begin anew.

        Returns the new moment, the setting where an episode has begun, and the score.
        """
        if keys.get("again"):
            self._begin()
            return self._answer(begun=True)
        actions = np.zeros(self.envs.action_space.shape, np.int64)
        for player in self._players:
            player.act(self._obs, self._first, actions)
        actions[0, self.agent] = self._action(keys)
        self._obs, _, ended, _, info = self.envs.step(actions)
        self.score += float(info["rewards"][0, self.agent])
        if ended[0]:
            self._told = f"the last episode gave you {self.score:.0f}"
            self._begin()
            return self._answer(begun=True)
        self._first = ended
        self.replay.add()
        return self._answer()

    def _begin(self) -> None:
        self._obs, _ = self.envs.reset(seed=self._seed + self._episodes)
        for team, player in enumerate(self._players):
            player.begin(self.envs, team, self._seed + self._episodes)
        self._first, self.score, self._episodes = np.ones(1, np.bool_), 0.0, self._episodes + 1
        self.replay.add()

    def _action(self, keys: dict[str, Any]) -> list[int]:
        middle = (self.envs.batch.scenario.buckets - 1) / 2
        turned = [float(np.clip(float(keys.get(name, 0)), -1, 1)) for name in ("x", "y", "turn")]
        return [round(middle * (1 + value)) for value in turned] + [int(bool(keys.get(n))) for n in ("hold", "lock")]

    def _answer(self, *, begun: bool = False) -> dict[str, Any]:
        told = "; ".join(part for part in (f"reward {self.score:.0f}", self._told) if part)
        answer = {"frame": self.replay.frames[-1], "told": told}
        return answer | {"setting": self.replay.setting} if begun else answer


def server_of(game: LiveGame, port: int) -> ThreadingHTTPServer:
    """Returns a server of a game on this machine alone; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                page = game.replay.page(game.agent).encode()
            self._send(200 if self.path == "/" else 404, "text/html; charset=utf-8", page if self.path == "/" else b"")

        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            body = self.rfile.read(min(int(size), 2 * LARGEST)) if size.isdecimal() else b""
            try:
                if len(body) > LARGEST:
                    raise ValueError(f"at most {LARGEST} bytes are wanted")
                keys = json.loads(body)
                with lock:
                    answer = json.dumps(game.step(dict(keys)))
                self._send(200, "application/json", answer.encode())
            except (ValueError, TypeError) as error:
                self._send(400, "text/plain", str(error).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def play(game: LiveGame, port: int) -> int:
    """Serves a game until Ctrl-C."""
    with server_of(game, port) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/", flush=True)
        say("open this page in a browser to play; Ctrl-C here ends the game")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("")
    return 0
