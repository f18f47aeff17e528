"""A fitted network explained on images: one picture, or a page with all of them that needs no other file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from palestra.cli.explain import Options, checked_suffix, numbered
from palestra.cli.options import key_values
from palestra.cli.progress import say
from palestra.cli.run import Run
from palestra.cli.saved import folder_of, saved_network
from palestra.networks.stages import module_at, name_of
from palestra.perception.attribution import last_maps
from palestra.perception.data import Images, load_images, parts_of
from palestra.perception.explain_pictures import save_figure
from palestra.perception.folder import read_image
from palestra.perception.inputs import inputs_for
from palestra.perception.report import PICTURES, Subject, all_maps, page, picture_named
from palestra.perception.scores import OnImages, Unit, input_shape, prepared, score_of

MOST_PIXELS = 4_000_000  # of the images that are searched for patches and mapped by their features
MOST_IMAGES = 1_000


def explain_images(name: str, files: Sequence[str], options: Options) -> Path:
    """Draws what was asked for, and returns the file's path.

    Raises:
        ValueError: there is no such network, method, stage, unit, class or image, or the method cannot explain it.
    """
    method = options.method or "all"
    if method != "all" and not picture_named(method).reads_stage and options.stage and options.unit is None:
        raise ValueError(f"{method} reads no stage: give --unit too, or leave --stage {options.stage} out")
    folder = folder_of(name)
    kept = folder.parent if folder.name == "network" else folder
    usual = kept / "explain" / ("report.html" if method == "all" else f"{method}.png")
    out = checked_suffix(options.out or usual, (".png", ".html"))
    subject = _subject(name, files, options)
    if out.suffix == ".png":
        save_figure(all_maps(subject, say) if method == "all" else picture_named(method).draw(subject), out)
        return out
    names = list(PICTURES) if method == "all" else [method]
    text = page(f"{name_of(subject.network)}: {name}", subject, names, say)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    return out


def _subject(name: str, files: Sequence[str], options: Options) -> Subject:
    made, about = saved_network(name)
    network = made if getattr(made, "input_rank", 3) == 3 else OnImages(made)
    classes = about.get("classes") or [str(k) for k in range(made.config.get("num_classes") or 0)]  # type: ignore[union-attr, operator]
    many = None if files and not options.data else _data(name, made, about, options)
    if files:
        images, titles = _read(files, made, about), [Path(file).name for file in files]
    else:
        assert many is not None  # since there are no files
        chosen = _chosen(many, options.images, options.seed)
        images = many[chosen][0]
        titles = [many.classes[k] for k in many.labels[chosen]] if many.labels is not None else [""] * len(images)
    stage = _stage(network, options.stage)
    target: int | Unit | None = None
    if options.target is not None:
        target = numbered(options.target, classes, "class")
    if options.unit is not None:
        target = Unit(stage or last_maps(network, prepared(network, images)), options.unit)
    if target is not None:
        score_of(network, prepared(network, images[:1]), target)
    titles = _with_answers(network, images, titles, classes)
    subject = Subject(network, images, titles, classes, target=target, stage=stage)
    if many is None:
        return subject
    return replace(subject, many=many[torch.arange(len(many))][0], labels=many.labels, label_names=many.classes)


def _stage(network: nn.Module, stage: str | None) -> str | None:
    if stage is None:
        return None
    inner = f"network.{stage}" if isinstance(network, OnImages) and not stage.startswith("network.") else stage
    module_at(network, inner)
    return inner


def _data(name: str, network: nn.Module, about: dict[str, Any], options: Options) -> Images:
    """Loads the images that were asked for, or those of the network's own data that it was not fitted to.

    Raises:
        ValueError: there are none, or they do not suit the network.
    """
    folder = folder_of(name)
    data: dict[str, Any] = {"name": options.data or about.get("data"), "options": key_values(options.data_kwargs)}
    own = not options.data and folder.name == "network" and (folder.parent / "config.json").is_file()
    if own:
        data = Run.open(str(folder.parent), "fit").config["data"]
    if not data["name"]:
        raise ValueError(f"{name} does not say what it was fitted to: name --data or files of images")
    part = "test" if parts_of(data["name"]) else None
    images = load_images(data["name"], part=part, **data["options"])
    if own and part is None and data["valid"]:
        images = images.split(data["valid"], data["seed"])[1]
    inputs_for(network, images)
    most = max(options.images, min(MOST_IMAGES, MOST_PIXELS // (images.image_size[0] * images.image_size[1])))
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(options.seed))
    return images.subset(order[:most])


def _read(files: Sequence[str], network: nn.Module, about: dict[str, Any]) -> Tensor:
    shape = about.get("image") or input_shape(network)
    if shape is None or len(shape) != 3:
        raise ValueError(f"{name_of(network)} does not say which images it takes; name --data in place of files")
    channels, height, width = shape
    return torch.stack([torch.from_numpy(read_image(file, channels, (height, width))) for file in files])


def _chosen(images: Images, count: int, seed: int) -> Tensor:
    """Returns the numbers of some images, of as many classes as there are, in the order of the classes."""
    if images.labels is None:
        return torch.arange(min(count, len(images)))
    rank = torch.zeros(len(images), dtype=torch.int64)  # how many of its class stand before an image
    for k in range(images.num_classes):
        own = (images.labels == k).nonzero().flatten()
        rank[own] = torch.arange(len(own))
    first = torch.argsort(rank * images.num_classes + images.labels, stable=True)[:count]
    return first[torch.argsort(images.labels[first], stable=True)]


@torch.no_grad()
def _with_answers(network: nn.Module, images: Tensor, titles: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Adds what a classifier says to the titles."""
    output = network(prepared(network, images))
    if output.dim() != 2 or output.shape[1] != len(classes):
        return list(titles)
    share, best = output.softmax(dim=1).max(dim=1)
    said = [f"{classes[k]} {p:.0%}" for k, p in zip(best.tolist(), share.tolist(), strict=True)]
    return [f"{title}\n→ {answer}" if title else answer for title, answer in zip(titles, said, strict=True)]
