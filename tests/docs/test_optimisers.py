"""The lesson on optimisers: their ways against closed forms."""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

STEPS = 30


def along_the_valley(lesson: ModuleType, points: Tensor) -> Tensor:
    """The coordinates `[..., 2]` along and across the valley."""
    cos, sin = math.cos(math.pi / 6), math.sin(math.pi / 6)
    return points @ torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "transition"),
    [
        # x' = x - a (m v + k x) and v' = m v + k x, with curvature k, step size a and momentum m, as torch has it.
        ("sgd", lambda k, a, m: [[1 - a * k, 0], [0, 0]]),
        ("momentum", lambda k, a, m: [[1 - a * k, -a * m], [k, m]]),
        ("nesterov", lambda k, a, m: [[1 - a * k * (1 + m), -a * m * m], [k, m]]),
    ],
)
def test_linear_methods_are_powers_of_a_matrix(
    lesson: ModuleType, name: str, transition: Callable[[float, float, float], list[list[float]]]
) -> None:
    way = lesson.descend(lesson.SURFACES["Valley"], name, 0.03, STEPS, momentum=0.8)
    found = along_the_valley(lesson, way.points)
    for axis, curvature in enumerate((1.0, 20.0)):
        matrix = torch.tensor(transition(curvature, 0.03, 0.8), dtype=torch.float64)
        first = torch.stack([found[0, axis], torch.zeros((), dtype=torch.float64)])
        expected = [(torch.linalg.matrix_power(matrix, k) @ first)[0] for k in range(STEPS + 1)]
        torch.testing.assert_close(found[:, axis], torch.stack(expected), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(way.losses, 0.5 * (found[:, 0] ** 2 + 20 * found[:, 1] ** 2))


def test_best_rates_are_those_of_the_theory(lesson: ModuleType) -> None:
    # Gradient descent: (k - 1) / (k + 1) a step. Polyak 1964: (sqrt(k) - 1) / (sqrt(k) + 1), and a factor that grows as
    # the number of steps, by which the rate from step 50 to 100 is 2^(1/50) = 1.014 times as large.
    surface, root = lesson.SURFACES["Valley"], math.sqrt(20)
    sgd = lesson.descend(surface, "sgd", 2 / 21, 100).points.norm(dim=1)
    assert (sgd[100] / sgd[50]).item() ** (1 / 50) == pytest.approx(19 / 21, rel=1e-6)
    best = ((root - 1) / (root + 1)) ** 2
    heavy = lesson.descend(surface, "momentum", (2 / (root + 1)) ** 2, 100, momentum=best).points.norm(dim=1)
    assert (heavy[100] / heavy[50]).item() ** (1 / 50) == pytest.approx(math.sqrt(best), rel=0.03)


def test_adaptive_methods_begin_along_the_diagonal(lesson: ModuleType) -> None:
    # The first gradient divided by its own size: the step size itself, for RMSprop over the root of 1 - 0.99.
    for name, length in (("adagrad", 0.1), ("adam", 0.1), ("rmsprop", 1.0)):
        way = lesson.descend(lesson.SURFACES["Valley"], name, 0.1, 1)
        step = way.points[1] - way.points[0]
        torch.testing.assert_close(step, torch.tensor([length, -length], dtype=torch.float64), rtol=1e-6, atol=0)


def test_beale_has_its_minimum_where_it_is_said(lesson: ModuleType) -> None:
    surface = lesson.SURFACES["Beale"]
    at = torch.tensor(surface.minimum, dtype=torch.float64, requires_grad=True)
    loss = surface.loss(*at)
    loss.backward()
    assert loss.item() == 0.0
    assert at.grad is not None
    assert not at.grad.any()


def test_all_get_down(lesson: ModuleType) -> None:
    for (_, name), way in lesson.measure().items():
        assert way.losses[-1] < (0.1 if name == "adadelta" else 0.02) * way.losses[0]


def test_prints_and_draws(lesson: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lesson.main(["--out", str(tmp_path / "new" / "picture.png")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == list(lesson.STEP_SIZES) == list(lesson.COLOURS)
    assert lines[-1] == str(tmp_path / "new" / "picture.png")
    assert 10_000 < (tmp_path / "new" / "picture.png").stat().st_size < 120_000
