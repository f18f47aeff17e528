"""Saving networks and loading them: a folder with `config.json` and `model.safetensors`, for everything that learns.

The configuration holds the arguments of `create`, the weights are plain arrays: nothing in a stranger's folder can run
code. Published files of weights (`.safetensors`, or PyTorch's own format read with `weights_only`) load as well.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from palestra.networks import create
from palestra.networks.stages import name_of
from palestra.networks.weights import modern_names, normalize_as_published, published

CONFIG, WEIGHTS = "config.json", "model.safetensors"
FORMAT = 1


def save_pretrained(network: nn.Module, folder: str | Path, **about: Any) -> Path:
    """Writes a network that `create` made to a folder, and returns it; `about` is kept beside the configuration.

    Raises:
        ValueError: the network does not know how it was made.
    """
    config: Any = getattr(network, "config", None)
    if config is None:
        raise ValueError(f"a {type(network).__name__} can be saved if palestra.networks.create makes it")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().cpu().clone().contiguous() for name, value in network.state_dict().items()}
    _replace(folder / WEIGHTS, lambda path: save_file(weights, path))
    text = json.dumps({"format": FORMAT, **config, "about": about}, indent=2) + "\n"
    _replace(folder / CONFIG, lambda path: path.write_text(text))
    return folder


def from_pretrained(folder: str | Path, **changes: Any) -> nn.Module:
    """Makes the network of a folder of `save_pretrained`, with its weights.

    `changes` are arguments of `create` that are to be others, as in `num_classes=5`: heads that no longer fit begin
    anew, and stems take another number of channels.

    Raises:
        ValueError: the folder holds no network, it is damaged, or its weights are not those of its configuration.
    """
    folder = network_folder(folder)
    options = {key: value for key, value in read_config(folder).items() if key not in ("format", "about")}
    if options.get("mean") and changes.get("in_channels", options["in_channels"]) != options["in_channels"]:
        for key in ("mean", "std"):
            options[key] = [sum(options[key]) / len(options[key])] * changes["in_channels"]
    network = create(options.pop("network"), **{**options, **changes})
    load_into(network, folder / WEIGHTS)
    return network


def network_folder(path: str | Path) -> Path:
    """Returns the folder with a network: `path` itself, or `network` inside it where it is a run.

    Raises:
        ValueError: there is none.
    """
    path = Path(path)
    for folder in (path / "network", path):
        if (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file():
            return folder
    what = "there is no such folder" if not path.exists() else f"it has no {CONFIG} and {WEIGHTS}"
    raise ValueError(f"{path} is no saved network: {what}")


def read_config(folder: str | Path) -> dict[str, Any]:
    """Reads the configuration of a saved network.

    Raises:
        ValueError: it is damaged, or of another format.
    """
    path = network_folder(folder) / CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if config.get("format") != FORMAT or "network" not in config:
        raise ValueError(f"{path} has format {config.get('format')}, but this version reads {FORMAT}")
    return config


def load_into(network: nn.Module, source: bool | str | Path) -> None:
    """Loads weights into a network: those of a folder or file, or, where `source` is True, the published ones.

    Of an autoencoder its encoder is taken, where the network is what that was made of. Heads of another number of
    classes are left alone; a stem of other channels has its weights averaged and repeated (scaled so that the response
    to equal channels stays as it was).

    Raises:
        ValueError: the weights are of another network; both are named.
    """
    if source is True:
        source = published(network)
    path = Path(str(source))
    path = network_folder(path) / WEIGHTS if path.is_dir() else path
    own = network.state_dict()
    heads = tuple(f"{head}." for head in getattr(network, "heads", ()))
    weights = _encoder_of(modern_names(read_weights(path), own), {key for key in own if not key.startswith(heads)})
    _fit_channels(network, weights)
    new = {key for key in own if key.startswith(heads) and (key not in weights or weights[key].shape != own[key].shape)}
    missing = sorted(own.keys() - weights.keys() - new)
    odd = sorted(key for key in weights.keys() - own.keys() if not key.startswith(heads))
    shapes = sorted(key for key in own.keys() & weights.keys() - new if own[key].shape != weights[key].shape)
    if missing or odd or shapes:
        raise ValueError(_mismatch(network, path, missing, odd, shapes, weights))
    network.load_state_dict({key: weights[key] for key in own.keys() - new}, strict=False)
    normalize_as_published(network, path)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Reads a file of weights, without running what it may contain.

    Raises:
        ValueError: it is not there, damaged, or holds other things than tensors.
    """
    if not path.is_file():
        raise ValueError(f"there is no file of weights {path}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    except Exception as error:  # torch raises errors of many kinds for files that are not its own
        raise ValueError(
            f"{path} is no file of weights that can be read safely: {str(error).splitlines()[0]}"
        ) from None
    if not isinstance(weights, dict) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(f"{path} holds other things than named tensors; save a state_dict")
    return weights


def _encoder_of(weights: dict[str, Tensor], trunk: set[str]) -> dict[str, Tensor]:
    """Returns the weights of an autoencoder's encoder, if these are what a trunk consists of, else all weights."""
    inner = {key.removeprefix("encoder."): value for key, value in weights.items() if key.startswith("encoder.")}
    return inner if trunk and trunk <= inner.keys() else weights


def _fit_channels(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Changes the weights of the first convolution to the network's number of channels."""
    stem = next(((name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d)), None)
    key = f"{stem[0]}.weight" if stem else ""
    if stem is None or key not in weights or weights[key].dim() != 4:
        return
    wanted, given = stem[1].weight.shape, weights[key].shape
    if wanted != given and wanted[0] == given[0] and wanted[2:] == given[2:]:
        mean = weights[key].mean(dim=1, keepdim=True) * (given[1] / wanted[1])
        weights[key] = mean.expand(wanted).clone()


def _mismatch(
    network: nn.Module, path: Path, missing: list[str], odd: list[str], shapes: list[str], weights: dict[str, Tensor]
) -> str:
    given = path.name
    if (path.with_name(CONFIG)).is_file():
        given = f"a {read_config(path.parent)['network']}"
    own = network.state_dict()
    differences = [f"{key} is missing" for key in missing[:1]]
    differences += [f"{key} is unknown" for key in odd[:1]]
    differences += [f"{key} is {list(weights[key].shape)}, not {list(own[key].shape)}" for key in shapes[:1]]
    return f"the weights of {path} are of {given}, but the network is a {name_of(network)}: {', '.join(differences)}"


def _replace(path: Path, write: Any) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    write(unfinished)
    unfinished.replace(path)
