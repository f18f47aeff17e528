"""Everything that explains a network on images, as pictures by name and as a page that needs no other file."""

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from palestra.networks.names import named
from palestra.networks.stages import name_of
from palestra.perception.attribution import METHODS, Method, attribute, last_maps
from palestra.perception.deconvolution import check_rectifiers, deconvolve
from palestra.perception.explain_pictures import draw_feature_maps, draw_filters, draw_images, draw_maps, draw_patches
from palestra.perception.maximisation import maximise
from palestra.perception.scores import Unit, prepared
from palestra.perception.units import feature_map, features, first_filters, strongest_patches

UNITS, PATCHES = 6, 9  # that are drawn
CLASSES = 10  # that are maximised at once
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}img{max-width:100%}h2{margin-top:2em}"
)


@dataclass(frozen=True)
class Subject:
    """What is explained: a network that takes images `[B, C, H, W]`, a few of them with titles, and many for patches.

    `target` is the number of a class, or a unit; None is each image's most probable class. `classes` are those that the
    network tells apart. `labels` are those of `many`; they number `label_names`, which autoencoders' data have too.
    """

    network: nn.Module
    images: Tensor
    titles: Sequence[str]
    classes: Sequence[str] = ()
    many: Tensor | None = None
    labels: Tensor | None = None
    label_names: Sequence[str] = ()
    target: int | Unit | None = None
    stage: str | None = None


class Picture(NamedTuple):
    """A kind of picture: how it is drawn as a figure, what is to be seen on it, and whether a stage is looked at."""

    draw: Callable[[Subject], Any]
    what: str
    reads_stage: bool = False


def picture_named(name: str) -> Picture:
    """Returns a kind of picture.

    Raises:
        ValueError: there is none of that name; the nearest one is offered.
    """
    return named(name, PICTURES, "method")  # type: ignore[no-any-return]


def page(title: str, subject: Subject, names: Sequence[str], said: Callable[[str], None]) -> str:
    """Returns HTML with pictures in it, by name; where one cannot be drawn it says why. `said` is told each name."""
    sections = []
    for name in names:
        said(f"drawing {name}")
        picture = picture_named(name)
        try:
            content = _embedded(picture.draw(subject))
        except ValueError as error:
            if len(names) == 1:
                raise
            content = f"<p><em>Left out: {html.escape(str(error))}.</em></p>"
        sections.append(f"<h2>{name}</h2>\n<p>{html.escape(picture.what)}</p>\n{content}")
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"{head}\n<style>{STYLE}</style>\n<h1>{html.escape(title)}</h1>\n" + "\n".join(sections) + "\n</html>\n"


def all_maps(subject: Subject, said: Callable[[str], None]) -> Any:
    """Draws the maps of all methods beside each other; `said` is told which ones cannot explain the network.

    Raises:
        ValueError: none can.
    """
    maps = {}
    for method in METHODS:
        try:
            maps[method] = _map(subject, method)
        except ValueError as error:
            said(f"{method} is left out: {error}")
    if not maps:
        raise ValueError(f"no method explains {name_of(subject.network)}; without classes it wants --stage and --unit")
    return draw_maps(subject.images, maps, subject.titles)


def _map(subject: Subject, method: str) -> Tensor:
    if subject.target is None and not subject.classes and method != "perturbation":
        raise ValueError(f"{name_of(subject.network)} has no classes to explain; give --stage and --unit")
    reads = METHODS[method].reads_stage and not isinstance(subject.target, Unit)
    stage = subject.stage if reads else None
    return attribute(subject.network, subject.images, subject.target, method=method, stage=stage)


def _filters(subject: Subject) -> Any:
    filters = first_filters(subject.network)
    shape = subject.images.shape[1:]
    if filters.dim() == 2 and filters.shape[1] == shape.numel():
        filters = filters.view(-1, *shape)
    return draw_filters(filters)


def _patches(subject: Subject) -> Any:
    images = subject.images if subject.many is None else subject.many
    network = subject.network
    stage = subject.stage or last_maps(network, prepared(network, images[:1]))
    units = [subject.target.number] if isinstance(subject.target, Unit) else _liveliest(network, images, stage)
    projects = _projects(network, images)
    rows = {}
    for unit in units:
        pairs = []
        for patch in strongest_patches(network, images, stage, unit, PATCHES):
            image = images[patch.image]
            back = patch.box.cut(deconvolve(network, image[None], Unit(stage, unit))[0]) if projects else None
            pairs.append((patch.box.cut(image), back))
        rows[f"unit {unit}"] = pairs
    return draw_patches(rows)


def _liveliest(network: nn.Module, images: Tensor, stage: str) -> list[int]:
    """Returns the units whose answers differ most from image to image."""
    return features(network, images, stage).std(dim=0).argsort(descending=True)[:UNITS].tolist()


def _projects(network: nn.Module, images: Tensor) -> bool:
    try:
        check_rectifiers(network, prepared(network, images[:1]))
    except ValueError:
        return False
    return True


def _features(subject: Subject) -> Any:
    if subject.many is None:
        raise ValueError("a map of features wants many images; name them with --data")
    points = features(subject.network, subject.many, subject.stage)
    maps = {"PCA": feature_map(points, "pca"), "t-SNE": feature_map(points, "tsne")}
    labels = None if subject.labels is None else subject.labels.numpy()
    return draw_feature_maps(maps, labels, subject.label_names)


def _maximised(subject: Subject) -> Any:
    shape = subject.images.shape[1:]
    if isinstance(subject.target, Unit):
        chosen: list[int] | Unit = subject.target
        titles = [f"unit {subject.target.number}"]
    else:
        count = len(subject.classes)
        numbers = [subject.target] if subject.target is not None else list(range(min(count, CLASSES)))
        if not numbers:
            raise ValueError(f"{name_of(subject.network)} has no classes to maximise; give --stage and --unit")
        chosen, titles = numbers, [subject.classes[k] for k in numbers]
    random = torch.Generator().manual_seed(0)
    start = 0.5 + 0.01 * torch.randn(len(titles), *shape, generator=random)
    return draw_images(maximise(subject.network, chosen, start=start), titles)


def _maps_by(name: str, method: Method) -> Picture:
    def draw(subject: Subject) -> Any:
        return draw_maps(subject.images, {name: _map(subject, name)}, subject.titles)

    return Picture(draw, f"{method.what[0].upper()}{method.what[1:]}.", method.reads_stage)


def _embedded(figure: Any) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, facecolor="white")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


FIRST = {
    "filters": Picture(_filters, "The weights of the first layer, each filter on its own scale; grey is zero."),
}
LAST = {
    "patches": Picture(
        _patches,
        "What excites units most: the strongest patch of each of nine images, as large as what the unit sees, and "
        "under it, where the network allows it, what of the patch does so, by deconvolution.",
        reads_stage=True,
    ),
    "features": Picture(
        _features, "Images by their features, in the plane: near ones look alike to the network.", reads_stage=True
    ),
    "maximisation": Picture(_maximised, "Images made by gradient ascent to have as high a score as an image may."),
}
PICTURES: Mapping[str, Picture] = {
    **FIRST,
    **{name: _maps_by(name, method) for name, method in METHODS.items()},
    **LAST,
}
