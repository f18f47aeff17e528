from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from palestra.networks import create
from palestra.perception.explain_pictures import (
    draw_feature_maps,
    draw_filters,
    draw_images,
    draw_maps,
    draw_patches,
    overlaid,
    save_figure,
    shown,
)
from palestra.perception.units import first_filters


def pixels_of(figure: object) -> list[np.ndarray]:
    """Returns what each axes of a figure shows, those without a picture left out."""
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]  # type: ignore[attr-defined]


def test_images_are_shown_as_they_are() -> None:
    colour = torch.rand(3, 4, 5)
    np.testing.assert_allclose(shown(colour), colour.permute(1, 2, 0).numpy(), rtol=1e-6)
    stack = torch.randint(0, 256, (4, 4, 5), dtype=torch.uint8)
    assert np.array_equal(shown(stack)[..., 0] * 255, stack[-1].numpy())  # the newest of the frames


def test_what_speaks_for_the_target_is_red_and_what_speaks_against_is_blue() -> None:
    strength = np.array([[1.0, -1.0, 0.0]])
    red, blue, neither = overlaid(np.full((1, 3, 3), 0.5), strength)[0]
    assert red[0] > 0.8 > 0.2 > red[2]
    assert blue[2] > 0.8 > 0.2 > blue[0]
    assert np.ptp(neither) == 0


def test_one_bright_pixel_does_not_hide_the_rest() -> None:
    strength = np.full((20, 20), 0.5)
    strength[0, 0] = 1000.0
    picture = overlaid(np.full((20, 20, 3), 0.5), strength - 0.5 + 200.0 * (np.arange(400).reshape(20, 20) % 2))
    assert picture[5, 5, 0] - picture[5, 4, 0] > 0.1


def test_maps_stand_beside_their_images_or_below_where_there_is_one_method() -> None:
    images = torch.rand(3, 1, 6, 6)
    maps = {"saliency": torch.rand(3, 6, 6), "occlusion": torch.rand(3, 6, 6)}
    both = draw_maps(images, maps, ["a", "b", "c"])
    assert len(pixels_of(both)) == 9
    np.testing.assert_allclose(pixels_of(both)[3], shown(images[1]))
    one = draw_maps(images, {"saliency": maps["saliency"]}, ["a", "b", "c"])
    np.testing.assert_allclose(pixels_of(one)[1], shown(images[1]))
    assert one.get_figwidth() > one.get_figheight()


def test_all_filters_are_drawn_with_grey_for_zero() -> None:
    assert len(pixels_of(draw_filters(torch.randn(16, 1, 3, 3)))) == 16
    assert len(pixels_of(draw_filters(torch.randn(5, 3, 7, 7)))) == 5
    assert len(pixels_of(draw_filters(first_filters(create("nature", in_channels=4, num_classes=2))))) == 32 * 4
    assert len(pixels_of(draw_filters(torch.randn(9, 20)))) == 1
    one = torch.zeros(1, 1, 3, 3)
    one[0, 0, 0, 0], one[0, 0, 2, 2] = 2.0, -2.0
    (drawn,) = pixels_of(draw_filters(one))
    assert (drawn[0, 0, 0], drawn[1, 1, 0], drawn[2, 2, 0]) == (1.0, 0.5, 0.0)


def test_patches_of_different_numbers_and_sizes_fit_in_one_picture(tmp_path: Path) -> None:
    pairs: list[tuple[Tensor, Tensor | None]] = [(torch.rand(1, 4, 5), torch.randn(1, 4, 5))]
    figure = draw_patches({"unit 1": pairs * 3, "unit 2": pairs})
    assert len(pixels_of(figure)) == 8
    without = draw_patches({"unit 1": [(torch.rand(1, 4, 5), None)]})
    assert len(pixels_of(without)) == 1
    save_figure(figure, tmp_path / "a" / "b.png")
    assert (tmp_path / "a" / "b.png").stat().st_size > 1000


def test_maps_of_features_are_coloured_by_class() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    figure = draw_feature_maps({"PCA": points, "t-SNE": points}, np.arange(20) % 2, ["cat", "dog"])
    scatter = figure.axes[0].collections[0]
    assert len(np.unique(scatter.get_facecolors(), axis=0)) == 2  # type: ignore[attr-defined]
    assert [text.get_text() for text in figure.axes[1].texts] == ["cat", "dog"]
    assert not draw_feature_maps({"PCA": points}, None, []).axes[0].texts


def test_images_have_their_titles() -> None:
    figure = draw_images(torch.rand(12, 1, 4, 4), [str(k) for k in range(12)])
    assert [axis.get_title() for axis in figure.axes[:12]] == [str(k) for k in range(12)]
