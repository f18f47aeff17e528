"""`palestra sample RUN --out grid.png`: samples of a generative model as one picture or as arrays."""

import copy
import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from palestra.cli import markov_text
from palestra.cli.options import parse
from palestra.cli.progress import Progress, say
from palestra.cli.saved import saved_network
from palestra.generative.latent import between
from palestra.generative.pictures import as_images, tiles
from palestra.networks.stages import name_of
from palestra.networks.threads import use_threads

SUFFIXES = (".png", ".npz")


@dataclass(frozen=True)
class Options:
    """Draws samples: palestra sample RUN --out grid.png."""

    out: Path = Path("samples.png")
    """A picture, .png, or arrays, .npz, with `images` uint8 [N, H, W, C] and, with classes, `labels`."""
    n: int = 64
    """How many samples."""
    labels: tuple[int, ...] = ()
    """Classes to draw, in turn, of a model that was fitted with --labels True; all if left out."""
    seed: int = 0
    """Seed of the samples."""
    between: int = 0
    """Of a model with codes: steps of a row from one sample to another."""
    means: bool = False
    """Of a VAE: the means of the outputs instead of draws from them."""
    naive: bool = False
    """Of an autoregressive model: compute everything anew for each pixel, to compare."""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"--n is {self.n}, but at least 1 is wanted")
        if self.between == 1 or self.between < 0:
            raise ValueError(f"--between is {self.between}, but at least 2 steps are wanted")
        if self.out.suffix not in SUFFIXES:
            raise ValueError(f"--out is {self.out}, but a file {' or '.join(SUFFIXES)} is wanted")


def main(args: Sequence[str]) -> int:
    """Draws; the file's path is the last line of stdout."""
    name = args[0] if args and not args[0].startswith("-") else None
    if name is not None and markov_text.is_chain(name):
        return markov_text.sample(name, args[1:])
    options = parse(Options, args if name is None else args[1:], "palestra sample RUN")
    if name is None:
        raise ValueError("the run is missing: palestra sample RUN --out grid.png")
    network, about = saved_network(name)
    if not hasattr(network, "sample"):
        raise ValueError(f"{name} is a {name_of(network)}, which cannot be sampled; `palestra networks` lists what can")
    use_threads(image=True)
    samples, labels = _drawn(network, options)
    images = as_images(samples, about["image"])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.out.suffix == ".npz":
        pixels = (images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
        arrays: dict[str, Any] = {"images": pixels[..., 0] if pixels.shape[3] == 1 else pixels}
        np.savez_compressed(options.out, **arrays | ({} if labels is None else {"labels": labels.numpy()}))
    else:
        _write(images, options.out, options.between or None)
    say(f"{len(images):,} samples of {name_of(network)}")
    print(options.out)
    return 0


def draw(network: Any, n: int, image: Sequence[int], out: Path) -> None:
    """Draws n samples of a model into a picture, classes in turn, always from the same random numbers."""
    model = copy.deepcopy(network).cpu().eval()  # so that the numbers are the same wherever it is fitted
    condition = torch.arange(n) % model.num_classes if model.num_classes else None
    samples = model.sample(n, condition, generator=torch.Generator().manual_seed(0))
    _write(as_images(samples, image), out)


def _drawn(network: Any, options: Options) -> tuple[Tensor, Tensor | None]:
    """Returns samples and their labels."""
    generator, labels = torch.Generator().manual_seed(options.seed), None
    if network.num_classes:
        chosen = options.labels or range(network.num_classes)
        labels = torch.tensor([chosen[i % len(chosen)] for i in range(options.n)])
    elif options.labels:
        raise ValueError("--labels names classes, but the model was fitted without; palestra fit ... --labels True")
    if options.between:
        return _rows_between(network, options, labels, generator)
    with Progress("drawing", _rows(network)) as progress:
        chosen_options = _options_of(network, options, lambda row: progress.update(row + 1))
        return network.sample(options.n, labels, generator=generator, **chosen_options), labels


def _options_of(network: Any, options: Options, note: Callable[[int], None]) -> dict[str, Any]:
    """Returns which options the model's `sample` is given.

    Raises:
        ValueError: one is asked for that it does not have.
    """
    takes = set(inspect.signature(network.sample).parameters)
    if "options" in takes:  # those of `autoregressive.draw`
        takes |= {"cached", "note"}
    given: dict[str, Any] = {}
    for option, name, asked, value in (
        ("means", "means", options.means, True),
        ("naive", "cached", options.naive, False),
    ):
        if asked and name not in takes:
            raise ValueError(f"--{option} means nothing to a {name_of(network)}")
        given |= {name: value} if asked else {}
    return given | ({"note": note} if "note" in takes else {})


def _rows(network: Any) -> int:
    return int(network.shape[1]) if len(network.shape) == 3 else 1


def _rows_between(
    network: Any, options: Options, labels: Tensor | None, generator: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Returns rows of what lies between two codes that are drawn."""
    size = getattr(network, "num_latent", getattr(network, "num_features", None))
    if not hasattr(network, "decode") or size is None:
        raise ValueError(f"--between needs a model with codes, but a {name_of(network)} has none")
    rows = -(-options.n // options.between)
    begin, end = torch.randn(2, rows, size, generator=generator).unbind(0)
    codes = between(begin, end, options.between, spherical=True).transpose(0, 1).flatten(0, 1)
    repeated = None if labels is None else labels[:rows].repeat_interleave(options.between)
    with torch.inference_mode():
        return (network.decode(codes) if repeated is None else network.decode(codes, repeated)), repeated


def _write(images: Tensor, out: Path, columns: int | None = None) -> None:
    importlib.import_module("imageio").imwrite(out, tiles(images, columns))
