"""The network that an agent sees with: by name, by architecture, or with the weights of a folder; frozen or learnt.

An agent's `encoder` is one of

- a name of `palestra.networks.NETWORKS`, or auto: mlp for vectors and nature for images;
- the folder of a saved network (`save_pretrained`), or of a run that holds one: a classifier or an agent gives all but
  its heads, which are made anew, and an autoencoder gives its encoder. Images must have the size that the network was
  made for; a stem for another number of planes has its weights averaged and repeated;
- an architecture, the arguments of `create` as JSON. This is what the folder becomes in the agent's own `config`, so
  that the agent can be made again, and take its weights from a checkpoint, when the folder is gone.

What is frozen has no gradient and no place in the optimiser, and its batch normalisation keeps its statistics.
"""

import inspect
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from palestra.networks import NETWORKS, create, network_class
from palestra.networks.pretrained import from_pretrained, network_folder, read_config, save_pretrained
from palestra.networks.stages import freeze, name_of

ALL = -1  # stages to freeze: the whole encoder
SAMPLES = {1: "vectors", 2: "sequences", 3: "images"}  # by `input_rank`
NOT_AN_OPTION = ("num_classes", "pretrained", "features_only")  # of `create`, in an architecture


class Plan(NamedTuple):
    """How to make an agent's network."""

    arguments: Mapping[str, Any]  # of `create`, but for the network's name and num_classes
    network: str
    weights: Mapping[str, Tensor]  # to begin with, without heads; none where it begins anew
    text: str  # an `encoder` that gives this plan, but for the weights, without any folder

    def make(self, num_classes: int | None) -> nn.Module:
        """Builds the network with initial weights; see `load`."""
        return create(self.network, num_classes=num_classes, **self.arguments)

    def load(self, network: nn.Module) -> None:
        """Puts the weights into a network of this plan; its heads stay as they are."""
        if self.weights:
            network.load_state_dict(self.weights, strict=False)


def check_options(encoder_lr: float | None, num_frozen: int) -> None:
    """Checks an agent's options `encoder_lr` and `freeze`.

    Raises:
        ValueError: the step size is not positive, or the number of stages makes no sense.
    """
    if encoder_lr is not None and not encoder_lr > 0.0:
        raise ValueError(f"encoder_lr must be positive, but is {encoder_lr:g}; freeze={ALL} keeps an encoder constant")
    if num_frozen < ALL:
        raise ValueError(f"freeze must be a number of stages, or {ALL} for all of them, but is {num_frozen}")


def read_encoder(encoder: str, shape: Sequence[int], mlp: Mapping[str, Any]) -> Plan:
    """Reads an agent's `encoder` for observations of a shape, `[N]` or `[C, H, W]`; `mlp` are the options of an mlp.

    Raises:
        ValueError: there is no such network, it is damaged, or it does not take such observations.
    """
    weights: Mapping[str, Tensor] = {}
    text = encoder
    if encoder == "auto":
        encoder = "mlp" if len(shape) == 1 else "nature"
    if encoder.startswith("{"):
        arguments, source = _architecture(encoder), "the encoder"
    elif encoder in NETWORKS or not (Path(encoder).exists() or set(encoder) & set("/\\")):
        arguments, source = {"network": encoder, **(mlp if encoder == "mlp" else {})}, "the encoder"
    else:
        arguments, weights = _saved(encoder, shape)
        text, source = json.dumps(arguments), encoder
    given = {"in_channels": int(shape[0])} | ({"image_size": tuple(shape[1:])} if len(shape) == 3 else {})
    _check_kind(given | arguments, shape)
    _check_sizes(source, arguments, given)
    rest = {key: value for key, value in {**arguments, **given}.items() if key != "network"}
    return Plan(rest, arguments["network"], weights, text)


def encoder_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Returns the parameters that are not of heads."""
    heads = tuple(f"{head}." for head in getattr(network, "heads", ()))
    return [p for name, p in network.named_parameters() if not name.startswith(heads)]


def freeze_encoder(network: nn.Module, num_stages: int) -> None:
    """Makes the parameters of the first stages constants, or with -1 those of the whole encoder.

    Raises:
        ValueError: there are not so many stages; they are named.
    """
    freeze(network, max(num_stages, 0))
    if num_stages == ALL:
        for parameter in encoder_parameters(network):
            parameter.requires_grad_(False)


def parameter_groups(
    network: nn.Module, encoder: Iterable[nn.Parameter], learning_rate: float, encoder_lr: float | None
) -> list[dict[str, Any]]:
    """Returns an optimiser's groups of what is learnt in a network, and the `scale` of each one's step size.

    Raises:
        ValueError: the encoder has a step size of its own, but nothing in it is learnt.
    """
    learnt = [p for p in network.parameters() if p.requires_grad]
    if encoder_lr is None:
        return [{"params": learnt, "scale": 1.0}]
    inside = {id(p) for p in encoder}
    groups: list[dict[str, Any]] = [
        {"params": [p for p in learnt if id(p) not in inside], "scale": 1.0},
        {"params": [p for p in learnt if id(p) in inside], "scale": encoder_lr / learning_rate},
    ]
    if not groups[1]["params"]:
        raise ValueError(f"encoder_lr is {encoder_lr:g}, but nothing in the encoder is learnt; leave it out")
    return groups


def set_step_sizes(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Gives each group its share of the step size."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["scale"]


def has_modes(network: nn.Module) -> bool:
    """Says whether a network computes something else in training: it has dropout or keeps statistics."""
    kinds = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._NormBase)
    return any(isinstance(module, kinds) for module in network.modules())


def _architecture(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise ValueError(f"the encoder {text} is neither a name, a folder nor JSON: {error}") from None
    if "network" not in arguments or set(arguments) & set(NOT_AN_OPTION):
        raise ValueError(
            f"the encoder {text} must have the name of a network as 'network', and no {', '.join(NOT_AN_OPTION)}"
        )
    return {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}


def _saved(path: str, shape: Sequence[int]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Returns the architecture of a saved network, for the planes of these observations, and its weights."""
    folder = network_folder(path)
    config = read_config(folder)
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as place:
        if hasattr(network_class(config["network"]), "decode"):
            folder = save_pretrained(_encoder_of(from_pretrained(folder), path), place)
            config = read_config(folder)
        _check_kind(config, shape)
        planes = {"in_channels": int(shape[0])} if len(shape) == 3 else {}
        network = from_pretrained(folder, num_classes=None, **planes)
    kept: Any = network.config
    arguments = {key: value for key, value in kept.items() if key not in NOT_AN_OPTION}
    if len(shape) == 3:
        arguments["image_size"] = tuple(_image_size(config) or ())
    return arguments, dict(network.state_dict())


def _encoder_of(autoencoder: nn.Module, path: str) -> nn.Module:
    encoder = getattr(autoencoder, "encoder", None)
    if getattr(encoder, "config", None) is None:
        raise ValueError(f"the {name_of(autoencoder)} of {path} has no encoder that an agent can take")
    return encoder  # type: ignore[return-value]


def _image_size(arguments: Mapping[str, Any]) -> Sequence[int] | None:
    """Returns the size of the images that `create` makes a network for, or None where it is for others."""
    name = arguments["network"]
    option = inspect.signature(network_class(name)).parameters.get("image_size")
    size: Sequence[int] | None = None
    if option is not None:
        size = {"image_size": option.default, **NETWORKS[name].options, **arguments}["image_size"]
    return size


def _check_kind(arguments: Mapping[str, Any], shape: Sequence[int]) -> None:
    """Checks that a network takes vectors or images, as they come, and is no autoencoder."""
    name = arguments["network"]
    kind = network_class(name)
    rank = kind.input_rank
    if "image_size" in inspect.signature(kind).parameters:
        rank = 3 if _image_size(arguments) else 1
    if rank != len(shape):
        raise ValueError(f"the network {name!r} takes {SAMPLES[rank]}, but observations have shape {list(shape)}")
    if hasattr(kind, "decode"):
        raise ValueError(f"the network {name!r} is an autoencoder; name its encoder, or the folder of a trained one")


def _check_sizes(source: str, wanted: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Compares what an architecture was made for, as far as it says so, with what is seen."""
    if all(wanted.get(key, value) == value for key, value in given.items()):
        return
    sizes = ((of.get("in_channels", given["in_channels"]), *of.get("image_size", ())) for of in (wanted, given))
    made_for, seen = (" x ".join(map(str, size)) for size in sizes)
    if "image_size" in given:
        raise ValueError(f"{source} was made for images of {made_for}, but observations are {seen}")
    raise ValueError(f"{source} was made for vectors of {made_for} numbers, but observations have {seen}")
