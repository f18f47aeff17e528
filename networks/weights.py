"""Published weights: which file belongs to which network, its download, and the images that it wants.

The files are those that PyTorch's vision library publishes for ImageNet's 1,000 classes (the first version of each).
A file's name holds the first eight digits of its SHA-256, which are checked. They are kept in `weights` in the folder
that the variable PALESTRA_CACHE names, by default `~/.cache/palestra`.
"""

import hashlib
import os
import re
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from palestra.networks.stages import name_of

SERVER = "https://download.pytorch.org/models/"
TIMEOUT = 30.0  # seconds without an answer
CHUNK = 1 << 20  # bytes read at a time


class Published(NamedTuple):
    """A file of weights and the images it wants: the shorter side resized, the centre cropped, channels normalised."""

    file: str
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    resize: int = 256
    crop: int = 224
    interpolation: str = "bilinear"


PUBLISHED = {
    "alexnet_owt": Published("alexnet-owt-7be5be79.pth"),
    "vgg11": Published("vgg11-8a719046.pth"),
    "vgg11_bn": Published("vgg11_bn-6002323d.pth"),
    "vgg13": Published("vgg13-19584684.pth"),
    "vgg13_bn": Published("vgg13_bn-abd245e5.pth"),
    "vgg16": Published("vgg16-397923af.pth"),
    "vgg16_bn": Published("vgg16_bn-6c64b313.pth"),
    "vgg19": Published("vgg19-dcbb9e9d.pth"),
    "vgg19_bn": Published("vgg19_bn-c79401a0.pth"),
    # learnt elsewhere on (x - 0.5) / 0.5, to which the vision library turns its normalised images back
    "googlenet": Published("googlenet-1378be20.pth", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
    "resnet18": Published("resnet18-f37072fd.pth"),
    "resnet34": Published("resnet34-b627a593.pth"),
    "resnet50": Published("resnet50-0676ba61.pth"),
    "resnet101": Published("resnet101-63fe2227.pth"),
    "resnet152": Published("resnet152-394f9c45.pth"),
    "densenet121": Published("densenet121-a639ec97.pth"),
    "densenet169": Published("densenet169-b2777c0a.pth"),
    "densenet201": Published("densenet201-c1103571.pth"),
}


def published(network: nn.Module) -> Path:
    """Returns the file with the published weights of a network, which is downloaded the first time.

    Raises:
        ValueError: there are none for it, or the file cannot be fetched or is damaged; what to do is said.
    """
    name = _published_name(network)
    if name not in PUBLISHED:
        raise ValueError(f"there are no published weights of {name}, only of {', '.join(PUBLISHED)}")
    file = PUBLISHED[name].file
    if getattr(network, "small", False):
        raise ValueError(f"{file} is not for the small variant of {name}; take small=False, or images of 64 pixels")
    path = cache_folder() / file
    if not path.is_file():
        download(SERVER + file, path, checksum_of(file))
    return path


def network_transforms(name: str) -> Published:
    """Returns what images must go through for the published weights of a network by name, as in `vgg16_bn`.

    Raises:
        ValueError: there are none for it.
    """
    if name not in PUBLISHED:
        raise ValueError(f"there are no published weights of {name!r}, only of {', '.join(PUBLISHED)}")
    return PUBLISHED[name]


def resize_and_crop(images: Tensor, transforms: Published) -> Tensor:
    """Brings images `[B, C, H, W]`, uint8 or floats, to the size that weights want, `[B, C, crop, crop]`.

    The shorter side is resized and the centre cropped; networks normalise the channels themselves.
    """
    height, width = images.shape[-2:]
    shorter = min(height, width)
    size = [side * transforms.resize // shorter for side in (height, width)]
    resized = F.interpolate(images.float(), size, mode=transforms.interpolation, antialias=True, align_corners=False)
    if images.dtype == torch.uint8:
        resized = resized.round().clamp(0, 255).to(torch.uint8)
    top, left = (round((side - transforms.crop) / 2) for side in size)
    return resized[..., top : top + transforms.crop, left : left + transforms.crop]


def normalize_as_published(network: nn.Module, path: Path) -> None:
    """Sets the normalisation of a network where its weights came from a published file and no other was asked for.

    Networks of other than three channels take the mean over the channels for each.
    """
    found = next((entry for entry in PUBLISHED.values() if entry.file == path.name), None)
    config: Any = getattr(network, "config", None)
    if found is None or config is None or "mean" in config or "std" in config:
        return
    channels = config["in_channels"]
    mean, std = (list(values) if channels == 3 else [sum(values) / 3] * channels for values in (found.mean, found.std))
    network.pixels.normalize(mean, std)  # type: ignore[operator, union-attr]
    config.update(mean=mean, std=std)


def modern_names(weights: Mapping[str, Tensor], wanted: Iterable[str]) -> dict[str, Tensor]:
    """Returns weights under the names that networks have today, as some files were written before they changed.

    Layers of dense blocks were called `norm.1` for `norm1`, and batch normalisation did not count its batches.
    """
    renamed = {re.sub(r"(\.denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", k): v for k, v in weights.items()}
    for name in wanted:
        mean = name.replace("num_batches_tracked", "running_mean")
        if mean != name and name not in renamed and mean in renamed:
            renamed[name] = torch.tensor(0)
    return renamed


def cache_folder() -> Path:
    """Returns the folder where downloaded weights are kept."""
    return Path(os.environ.get("PALESTRA_CACHE") or Path.home() / ".cache" / "palestra") / "weights"


def checksum_of(file: str) -> str:
    """Returns the first digits of the SHA-256 that the name of a file holds, as in `name-0123abcd.pth`."""
    return Path(file).stem.rpartition("-")[2]


def download(url: str, path: Path, checksum: str) -> None:
    """Fetches a file whose SHA-256 begins with `checksum`, with its progress on stderr; `path` appears when complete.

    Raises:
        ValueError: the server cannot be reached, or sent another file.
    """
    advice = f"fetch {url} in another way and give its path as pretrained=PATH"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".unfinished", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _copy(url, file)
        if not digest.startswith(checksum):
            raise ValueError(
                f"{url} gave a file with SHA-256 {digest[:8]}..., not {checksum}...; try again, or {advice}"
            )
        os.replace(unfinished, path)
    except (OSError, urllib.error.URLError) as error:
        reason = getattr(error, "reason", None) or error
        raise ValueError(f"the weights cannot be downloaded ({reason}); {advice}") from None
    finally:
        Path(unfinished).unlink(missing_ok=True)


def _copy(url: str, file: Any) -> str:
    """Copies what a server sends to an open file, and returns its SHA-256."""
    digest, done = hashlib.sha256(), 0
    name = url.rpartition("/")[2]
    with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
        total = int(response.headers.get("Content-Length") or 0)
        print(f"downloading {name}" + (f", {total / 1e6:.1f} MB" if total else ""), file=sys.stderr)
        while chunk := response.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if total and sys.stderr.isatty():
                print(f"\r{name} {done / total:4.0%}", end="", file=sys.stderr, flush=True)
    if total and sys.stderr.isatty():
        print(file=sys.stderr)
    return digest.hexdigest()


def _published_name(network: nn.Module) -> str:
    config: Any = getattr(network, "config", {})
    return name_of(network) + ("_bn" if config.get("batch_norm") is True and "vgg" in name_of(network) else "")
