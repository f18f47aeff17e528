"""Augmentation: each change does what it says, exactly where that can be, and nothing at strength 0."""

import math

import pytest
import torch
from torch import Tensor

from palestra.perception.augment import CHANGES, Augment, cutout, flip, rotate, scale, shift


def images(dtype: torch.dtype, batch: int = 64) -> Tensor:
    x = torch.randint(1, 256, (batch, 3, 10, 12), generator=torch.Generator().manual_seed(0))
    return x.to(torch.uint8) if dtype == torch.uint8 else (x / 255).to(dtype)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float16])
def test_shape_type_and_seed(name: str, dtype: torch.dtype) -> None:
    x = images(dtype)
    before, augment = x.clone(), Augment([name])
    torch.manual_seed(1)
    y = augment(x)
    torch.manual_seed(1)
    again = augment(x)
    torch.manual_seed(2)
    other = augment(x)
    assert y.dtype == x.dtype
    assert y.shape == x.shape
    assert torch.equal(x, before)
    assert torch.equal(y, again)
    assert not torch.equal(y, other)
    assert not torch.equal(y, x)
    assert y.min() >= 0
    assert y.max() <= (255 if dtype == torch.uint8 else 1)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_strength_zero_changes_nothing(name: str, dtype: torch.dtype) -> None:
    x = images(dtype)
    assert torch.equal(Augment([f"{name}:0"])(x), x)
    direct = CHANGES[name].apply(x, 0.0)
    torch.testing.assert_close(direct, x, atol=1e-5, rtol=0)
    assert direct.dtype == x.dtype


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_shift_is_a_roll_of_the_padded_image(dtype: torch.dtype) -> None:
    x = images(dtype)
    torch.manual_seed(3)
    down, right = torch.randint(-2, 3, (2, len(x)))  # what `shift` draws
    torch.manual_seed(3)
    y = shift(x, 2)
    for i in range(len(x)):
        padded = torch.nn.functional.pad(x[i], (2, 2, 2, 2))
        rolled = padded.roll((int(down[i]), int(right[i])), dims=(1, 2))
        assert torch.equal(y[i], rolled[:, 2:-2, 2:-2])
    assert {*down.tolist()} == {*right.tolist()} == {-2, -1, 0, 1, 2}


def test_flip_mirrors_its_share() -> None:
    x = images(torch.uint8, batch=4000)
    y = flip(x, 0.3)
    mirrored = (y == x.flip(-1)).flatten(1).all(dim=1)
    assert ((y == x).flatten(1).all(dim=1) ^ mirrored).all()
    # The standard error of a share of 0.3 among 4,000 is 0.0072.
    assert abs(mirrored.float().mean() - 0.3) < 4 * 0.0072
    assert torch.equal(flip(x, 1.0), x.flip(-1))


def test_rotation_by_a_quarter_turn_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda n: torch.ones(n))  # the greatest angle
    x = images(torch.uint8)[:, :, :, :10]  # squares
    assert torch.equal(rotate(x, 90), x.rot90(1, dims=(2, 3))) or torch.equal(rotate(x, 90), x.rot90(-1, dims=(2, 3)))
    assert torch.equal(rotate(x, 180), x.flip(2, 3))
    assert torch.equal(rotate(images(torch.uint8), 180), images(torch.uint8).flip(2, 3))


def test_rotation_keeps_lengths_in_images_that_are_no_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda n: torch.ones(n))
    x = torch.zeros(1, 1, 21, 41)
    x[..., 10, 14:27] = 1  # a bar of 13 pixels through the middle, lying
    y = rotate(x, 90)
    expected = torch.zeros(1, 1, 21, 41)
    expected[..., 4:17, 20] = 1  # standing
    torch.testing.assert_close(y, expected, atol=1e-4, rtol=0)


def test_scale_zooms_by_its_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.zeros(1, 1, 40, 40)
    x[..., 10:30, 10:30] = 1  # 20 x 20 in the middle
    areas = []
    for drawn in (0.0, 1.0):
        monkeypatch.setattr(torch, "rand", lambda n, drawn=drawn: torch.full((n,), drawn))
        areas.append(float(scale(x, 0.25).sum()))
    # Factors 1.25 and 1 / 1.25 make areas of 25^2 and 16^2 pixels of 20^2.
    assert areas == pytest.approx([625, 256], rel=0.01)


def test_brightness_and_contrast_by_their_amounts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "rand", lambda n: torch.ones(n))  # the greatest change
    x = torch.tensor([0.25, 0.75]).view(1, 1, 1, 2)
    torch.testing.assert_close(Augment(["brightness:0.5"])(x).ravel(), torch.tensor([0.75, 1.0]))
    torch.testing.assert_close(Augment(["contrast:0.5"])(x).ravel(), torch.tensor([0.125, 0.875]))
    bright = Augment(["brightness:0.2"])(torch.tensor([0, 100, 250], dtype=torch.uint8).view(1, 1, 1, 3))
    assert bright.ravel().tolist() == [51, 151, 255]


def test_cutout_sets_a_square_to_zero() -> None:
    x = images(torch.uint8, batch=500)  # no pixel is 0
    y = cutout(x, 0.4)
    gone = (y == 0).all(dim=1)
    assert torch.equal(y, x * ~gone[:, None])
    rows, cols = gone.any(dim=2).sum(dim=1), gone.any(dim=1).sum(dim=1)
    assert torch.equal(gone.flatten(1).sum(dim=1), rows * cols)
    assert rows.max() == cols.max() == 4  # 0.4 of the shorter side, 10
    assert rows.min() == cols.min() == 2  # those at an edge stick out by half


def test_each_image_has_its_own_change() -> None:
    x = images(torch.uint8)[:1].repeat(64, 1, 1, 1)
    for name in CHANGES:
        torch.manual_seed(0)
        changed = len(torch.unique(Augment([name])(x).flatten(1), dim=0))
        assert changed == 2 if name == "flip" else changed > 10


def test_changes_follow_each_other() -> None:
    x = images(torch.uint8)
    torch.manual_seed(5)
    y = Augment(("shift:2", "flip"))(x)
    torch.manual_seed(5)
    assert torch.equal(y, flip(shift(x, 2), 0.5))
    assert torch.equal(Augment(())(x), x)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shfit", "did you mean shift"),
        ("xyz", "there are shift, flip"),
        ("flip:2", "strength of flip is '2', but a number from 0 to 1"),
        ("shift:-1", "but a number from 0 is wanted"),
        ("shift:far", "strength of shift is 'far'"),
        (f"scale:{math.inf}", "strength of scale is 'inf'"),
    ],
)
def test_wrong_names_and_strengths(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augment([name])


@pytest.mark.parametrize("x", [torch.zeros(3, 4, 4), torch.zeros(2, 3, 4, 4, dtype=torch.int64)])
def test_what_is_no_batch_of_images(x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"images \[B, C, H, W\], uint8 or floats, are wanted"):
        Augment(["flip"])(x)
