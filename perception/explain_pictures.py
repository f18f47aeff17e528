"""Explanations drawn: maps over images, filters, patches, maps of features, and what units respond to most."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = NDArray[np.float64]  # [H, W, 3] in [0, 1]
CELL = 1.3  # inches of a small picture
BRIGHTEST = 99.5  # percentile of a map that is drawn at full strength: single pixels do not dim the rest
FADED = 0.45  # contrast that is left of an image under a map
MANY = 64  # filters that are drawn


def shown(image: Tensor) -> Pixels:
    """Returns an image `[C, H, W]`, uint8 or floats in [0, 1], as colours; of a stack of frames the last, in grey."""
    pixels = image.detach().cpu().numpy()
    pixels = np.clip(pixels / 255.0 if pixels.dtype == np.uint8 else pixels.astype(np.float64), 0.0, 1.0)
    planes = pixels if len(pixels) == 3 else pixels[[-1] * 3]
    return np.asarray(planes.transpose(1, 2, 0), np.float64)


def overlaid(image: Pixels, strength: NDArray[Any], scale: float | None = None) -> Pixels:
    """Lays a map `[H, W]` over a picture `[H, W, 3]`: red for what speaks for the target, blue for what speaks against.

    `scale` is the strength that is drawn in full; by default nearly the greatest of this map.
    """
    scale = strength_of(strength) if scale is None else scale
    share = np.clip(strength / scale, -1.0, 1.0)[..., None]
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    faded = 0.5 + FADED * (grey - 0.5) * 1.4
    colour = np.where(share > 0, np.array([0.86, 0.08, 0.10]), np.array([0.10, 0.30, 0.90]))
    weight = np.abs(share) ** 0.75
    return np.asarray(np.clip(faded * (1 - weight) + colour * weight, 0.0, 1.0))


def strength_of(strength: NDArray[Any]) -> float:
    """Returns the strength of a map that is drawn in full."""
    return max(float(np.percentile(np.abs(strength), BRIGHTEST)), float(np.abs(strength).max()) * 0.2, 1e-12)


def draw_maps(images: Tensor, maps: Mapping[str, Tensor], titles: Sequence[str]) -> "Figure":
    """Draws images `[B, C, H, W]` with their titles, and beside each its maps `[B, H, W]` by name.

    Images are one below the other, or side by side with a single map under each. What all pixels of a map have in
    common, where it has one sign, is not drawn.
    """
    across = len(maps) == 1
    figure, axes = _grid(*((2, len(images)) if across else (len(images), 1 + len(maps))), CELL * 1.15)
    axes = axes.T if across else axes
    for i, image in enumerate(images):
        picture = shown(image)
        _picture(axes[i, 0], picture)
        (axes[i, 0].set_title if across else axes[i, 0].set_ylabel)(titles[i], fontsize=8)
        for j, values in enumerate(maps.values(), 1):
            strength = values[i].cpu().numpy()
            _picture(axes[i, j], overlaid(picture, strength - max(float(strength.min()), 0.0)))
    for j, name in enumerate(maps, 1):
        label = name if len(name) < 14 else name.replace("-", "-\n", 1)
        (axes[0, j].set_ylabel if across else axes[0, j].set_title)(label, fontsize=8)
    return figure


def draw_filters(filters: Tensor) -> "Figure":
    """Draws the first filters `[N, C, h, w]`: in colour where C is 3, else plane by plane; of `[N, inputs]` a matrix.

    Each filter has its own scale, with grey for zero.
    """
    filters = filters[:MANY].cpu()
    if filters.dim() == 2:
        figure, axes = _grid(1, 1, 6.0, 3.0)
        largest = float(filters.abs().max()) or 1.0
        axes[0, 0].imshow(
            filters.numpy(), cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
        )
        axes[0, 0].set(xlabel="inputs", ylabel="units")
        return figure
    scaled = 0.5 + 0.5 * filters / filters.flatten(1).abs().amax(1).clamp(min=1e-12).view(-1, 1, 1, 1)
    count, planes = filters.shape[:2]
    if planes in (1, 3):
        across = min(8, count)
        figure, axes = _grid(-(-count // across), across, 0.7)
        for axis, image in zip(axes.flat, scaled, strict=False):
            _picture(axis, shown(image))
        return _without_rest(figure, axes, count)
    down = min(16, planes)
    figure, axes = _grid(down, count, 0.32)
    for j, one in enumerate(scaled):
        for i, plane in enumerate(one[:down]):
            _picture(axes[i, j], shown(plane[None]))
    axes[down // 2, 0].set_ylabel("planes", fontsize=8)
    figure.supxlabel("filters", fontsize=8)
    return figure


def draw_patches(rows: Mapping[str, Sequence[tuple[Tensor, Tensor | None]]]) -> "Figure":
    """Draws for each unit, by name, its patches `[C, h, w]` and under them what of them excites it, where given."""
    doubled = any(projection is not None for pairs in rows.values() for _, projection in pairs)
    across = max(len(pairs) for pairs in rows.values())
    figure, axes = _grid(len(rows) * (1 + doubled), across, 0.72)
    for i, (name, pairs) in enumerate(rows.items()):
        top = i * (1 + doubled)
        axes[top, 0].set_ylabel(name, fontsize=7, rotation=0, ha="right", va="center")
        for j, (patch, projection) in enumerate(pairs):
            _picture(axes[top, j], shown(patch))
            if doubled and projection is not None:
                _picture(axes[top + 1, j], _signed(projection))
        for j in range(len(pairs), across):
            for axis in axes[top : top + 1 + doubled, j]:
                axis.set_axis_off()
    return figure


def draw_feature_maps(
    maps: Mapping[str, NDArray[Any]], labels: NDArray[Any] | None, classes: Sequence[str]
) -> "Figure":
    """Draws maps of features `[B, 2]`, by title, side by side, coloured by the labels `[B]`, numbers of classes."""
    figure, axes = _grid(1, len(maps), 4.4)
    chosen = "tab:blue" if labels is None else _colours(len(classes))[labels]
    for axis, (title, points) in zip(axes[0], maps.items(), strict=True):
        axis.scatter(*points.T, c=chosen, s=9, linewidths=0)
        axis.set_title(title, fontsize=9)
        for k, name in enumerate(classes if labels is not None and len(classes) <= 20 else ()):
            own = points[labels == k]
            if len(own):
                middle = np.median(own, axis=0)
                axis.text(*middle, name, fontsize=9, weight="bold", ha="center", va="center", bbox=_TAG)
    return figure


_TAG = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.75, "edgecolor": "none"}


def draw_images(images: Tensor, titles: Sequence[str]) -> "Figure":
    """Draws images `[N, C, H, W]` side by side, with a title each."""
    across = min(10, len(images))
    figure, axes = _grid(-(-len(images) // across), across, CELL)
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        _picture(axis, shown(image))
        axis.set_title(title, fontsize=8)
    return _without_rest(figure, axes, len(images))


def save_figure(figure: "Figure", path: str | Path) -> None:
    """Writes a figure as PNG, or what the path's suffix says, making folders as needed."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white")


def _grid(rows: int, columns: int, cell: float, height: float | None = None) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure

    size = (max(columns * cell + 0.6, 2.0), max(rows * (height or cell) + 0.35, 1.2))
    figure = Figure(figsize=size, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, wspace=0.02, hspace=0.02)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return figure, axes


def _picture(axis: "Axes", pixels: Pixels) -> None:
    axis.imshow(pixels, interpolation="nearest", vmin=0.0, vmax=1.0)
    for spine in axis.spines.values():
        spine.set_visible(False)


def _without_rest(figure: "Figure", axes: Any, count: int) -> "Figure":
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    return figure


def _signed(image: Tensor) -> Pixels:
    """Returns numbers `[C, h, w]` of both signs as colours around grey."""
    largest = float(image.abs().max()) or 1.0
    return shown(0.5 + 0.5 * image.cpu() / largest)


def _colours(count: int) -> NDArray[Any]:
    from matplotlib import colormaps

    palette = colormaps["tab10" if count <= 10 else "tab20"]
    return np.array([palette(i % palette.N) for i in range(count)])
