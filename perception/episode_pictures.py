"""An episode explained: each observation with its map and the network's outputs, or what inputs counted over time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from palestra.perception.explain_pictures import BRIGHTEST, overlaid

CHOSEN, OTHER = "#d62728", "#9aa5b1"
HEIGHT, DPI = 3.6, 100  # inches of a video's picture, and dots in them
MOST_INPUTS, MOST_ACTIONS = 24, 18  # that are drawn


class EpisodePictures:
    """Draws the steps of an episode, one after the other, as pictures `[H, W, 3]` uint8 of the same size.

    `game` `[h, w, 3]` is what people see of it, or None; `sight` `[h, w, 3]` in [0, 1] is what the network sees.
    `values` `[T, A]` are all outputs of the episode, and `maps` `[T, H, W]` all maps: they set the scales. Bars of
    `centred` outputs show by how much they differ from the mean of their step, so that small preferences are seen.
    """

    def __init__(
        self,
        game: NDArray[Any] | None,
        sight: NDArray[Any],
        maps: NDArray[Any],
        values: NDArray[Any],
        actions: Sequence[str],
        label: str,
        *,
        centred: bool,
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        widths = [] if game is None else [game.shape[1] / game.shape[0]]
        widths += [sight.shape[1] / sight.shape[0], 0.95]
        figure = Figure(figsize=(HEIGHT * sum(widths), HEIGHT * 1.12), dpi=DPI, layout="constrained")
        self._canvas = FigureCanvasAgg(figure)
        axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        self._scale = max(float(np.percentile(np.abs(maps), (BRIGHTEST + 100) / 2)), 1e-12)
        self._game = None if game is None else _image(axes[0], game, "the game")
        self._sight = _image(axes[-2], sight, "what the network sees, and what counts")
        self._title = figure.suptitle(" ", fontsize=9, x=0.01, ha="left", family="monospace")
        self._actions, self._centred = list(actions[:MOST_ACTIONS]), centred
        lengths = values - values.mean(axis=1, keepdims=True) if centred else values
        self._axis = axes[-1]
        self._bars = _bars(axes[-1], lengths[:, :MOST_ACTIONS], label)

    def draw(
        self,
        game: NDArray[Any] | None,
        sight: NDArray[Any],
        strength: NDArray[Any],
        values: NDArray[Any],
        target: int,
        title: str,
    ) -> NDArray[np.uint8]:
        """Returns the picture of a step: its map `[H, W]`, its outputs `[A]`, and which of them the map explains."""
        if self._game is not None and game is not None:
            self._game.set_data(game)
        self._sight.set_data(overlaid(sight, strength, self._scale))
        lengths = values - values.mean() if self._centred else values
        for k, (bar, length) in enumerate(zip(self._bars, lengths, strict=False)):
            bar.set_width(length)
            bar.set_color(CHOSEN if k == target else OTHER)
        labels = [f"{name} {value:>8.3g}" for name, value in zip(self._actions, values, strict=False)]
        self._axis.set_yticks(range(len(labels)), labels)
        self._title.set_text(title)
        self._canvas.draw()  # type: ignore[no-untyped-call]
        picture = np.asarray(self._canvas.buffer_rgba())[..., :3]  # type: ignore[no-untyped-call]
        return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2].copy()  # codecs want even sides


def draw_importance(
    importance: NDArray[Any],
    values: NDArray[Any],
    targets: NDArray[Any],
    inputs: Sequence[str],
    actions: Sequence[str],
    label: str,
) -> Any:
    """Draws how much each input counted at each step, `[T, N]`, its mean as bars, and the outputs `[T, A]` below.

    `targets` `[T]` are the outputs that were explained, which are marked. Of many inputs the most important are drawn.
    """
    from matplotlib.figure import Figure

    order = np.argsort(-importance.mean(axis=0), kind="stable")[:MOST_INPUTS]
    order = np.sort(order)
    shown, mean = importance[:, order], importance.mean(axis=0)[order]
    figure = Figure(figsize=(9.0, 2.6 + 0.26 * len(order)), layout="constrained")
    axes = figure.subplots(
        2, 2, width_ratios=[4, 1], height_ratios=[max(0.26 * len(order), 1.0), 1.6], sharex="col", squeeze=False
    )
    largest = max(float(np.percentile(shown, BRIGHTEST)), 1e-12)
    edges = (-0.5, len(shown) - 0.5, len(order) - 0.5, -0.5)
    axes[0, 0].imshow(shown.T, aspect="auto", cmap="Reds", vmin=0, vmax=largest, extent=edges, interpolation="nearest")
    axes[0, 0].set_yticks(range(len(order)), [inputs[i] for i in order], fontsize=8)
    axes[0, 0].set_title("how much each input counted, step by step", fontsize=9)
    axes[0, 1].barh(range(len(order)), mean, color=CHOSEN)
    axes[0, 1].set(ylim=(len(order) - 0.5, -0.5), yticks=[])
    axes[0, 1].set_title("on average", fontsize=9)
    axes[0, 1].tick_params(labelsize=7, labelbottom=True)
    steps = np.arange(len(values))
    for k in range(min(values.shape[1], MOST_ACTIONS)):
        (line,) = axes[1, 0].plot(steps, values[:, k], linewidth=1, label=actions[k])
        taken = targets == k
        axes[1, 0].scatter(steps[taken], values[taken, k], s=7, color=line.get_color())
    axes[1, 0].set_xlabel("step; dots: the output that is explained", fontsize=8)
    axes[1, 0].set_ylabel(label, fontsize=8)
    axes[1, 0].tick_params(labelsize=7)
    axes[1, 1].set_axis_off()
    axes[1, 1].legend(*axes[1, 0].get_legend_handles_labels(), fontsize=7, loc="center left", frameon=False)
    return figure


def _image(axis: Any, picture: NDArray[Any], title: str) -> Any:
    axis.set_axis_off()
    axis.set_title(title, fontsize=9)
    return axis.imshow(picture, interpolation="nearest", aspect="equal")


def _bars(axis: Any, values: NDArray[Any], label: str) -> Any:
    """Draws empty bars whose scale holds for the whole episode."""
    count = values.shape[1]
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.05 * max(high - low, 1e-6)
    bars = axis.barh(range(count), np.zeros(count), color=OTHER)
    axis.set_yticks(range(count), [""] * count, fontsize=8, family="monospace")
    axis.set(xlim=(low - room * (low < 0), high + room), ylim=(count - 0.5, -0.5))
    axis.set_title(label, fontsize=9)
    axis.tick_params(axis="x", labelsize=7)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    return bars
