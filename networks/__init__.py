"""PyTorch modules that agents draw on and that work alone. `NETWORKS` and `MODELS` are the only lists of them.

A network maps a batch `[B, ...]` to `num_classes` numbers a sample, or to its features, `num_features` of them, where
that is None. Its class says what the rest of the library needs to know:

- `input_rank`: the dimensions of a sample, 1 for vectors, 2 for sequences and 3 for images `[C, H, W]`;
- `heads`: the paths of the layers that turn features into classes, which a new task replaces;
- `stages` (of an instance): the paths of its modules, input to output, whose outputs are worth looking at, freezing up
  to, or reading out: see `networks/stages.py`.

Generative models, `MODELS`, are networks that can be sampled; `networks/density.py` says what they have in common.

A network made by `create` carries `config`, the arguments that made it, with which it is saved.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from palestra.networks.names import named

if TYPE_CHECKING:
    from torch import nn


class Entry(NamedTuple):
    """Where a network is, what it is in a few words, the options that make it of its class, and those of its fit."""

    module: str
    attribute: str
    what: str
    options: Mapping[str, Any] = MappingProxyType({})
    fit: Mapping[str, Any] = MappingProxyType({})


NETWORKS = {  # name on the command line
    "perceptron": Entry("mlp", "Perceptron", "one layer of weights (Rosenblatt 1958)"),
    "mlp": Entry("mlp", "MLP", "fully connected layers on vectors"),
    "rbf": Entry("rbf", "RBF", "radial-basis units and a linear layer (Broomhead and Lowe 1988)"),
    "autoencoder": Entry("autoencoder", "Autoencoder", "fully connected layers to a code and back"),
    "sparse-autoencoder": Entry(
        "autoencoder",
        "Autoencoder",
        "an autoencoder whose units are seldom active (Ng 2011)",
        {"hidden": (), "num_features": 128, "code_activation": "sigmoid", "sparsity": 0.05},
    ),
    "denoising-autoencoder": Entry(
        "autoencoder",
        "Autoencoder",
        "an autoencoder that mends what was corrupted (Vincent et al. 2008)",
        {"hidden": (), "num_features": 128, "code_activation": "sigmoid", "noise": "masking"},
    ),
    "conv-autoencoder": Entry(
        "autoencoder",
        "Autoencoder",
        "any network on images as encoder, transposed convolutions back",
        {"encoder": "nature", "image_size": (84, 84)},
    ),
    "stacked-autoencoder": Entry(
        "autoencoder",
        "Autoencoder",
        "a deep autoencoder that can be trained layer by layer (Bengio et al. 2007)",
        {"hidden": (256, 128), "activation": "sigmoid", "code_activation": "sigmoid"},
    ),
    "nature": Entry("cnn", "NatureCNN", "the three convolutions of the Nature DQN (Mnih et al. 2015) on 84x84 frames"),
    "impala": Entry("cnn", "ImpalaCNN", "the residual encoder of IMPALA (Espeholt et al. 2018) on 84x84 frames"),
    "lenet5": Entry("lenet", "LeNet", "LeNet-5 as published (LeCun et al. 1998) on 32x32 or 28x28 images"),
    "lenet5_full": Entry(
        "lenet", "LeNet", "LeNet-5 with all maps connected, as it is mostly built", {"connections": "full"}
    ),
    "alexnet": Entry("alexnet", "AlexNet", "the network of ILSVRC 2012 (Krizhevsky et al. 2012)", {"design": "2012"}),
    "alexnet_owt": Entry(
        "alexnet",
        "AlexNet",
        "its one-tower variant (Krizhevsky 2014), of which weights are published",
        {"design": "owt"},
    ),
    "zfnet": Entry("alexnet", "AlexNet", "ZFNet (Zeiler and Fergus 2014)", {"design": "zf"}),
    "vgg11": Entry("vgg", "VGG", "VGG configuration A (Simonyan and Zisserman 2015)", {"configuration": "A"}),
    "vgg11_lrn": Entry(
        "vgg", "VGG", "VGG configuration A-LRN, with response normalisation", {"configuration": "A-LRN"}
    ),
    "vgg13": Entry("vgg", "VGG", "VGG configuration B", {"configuration": "B"}),
    "vgg16_c": Entry("vgg", "VGG", "VGG configuration C, with 1x1 convolutions", {"configuration": "C"}),
    "vgg16": Entry("vgg", "VGG", "VGG configuration D", {"configuration": "D"}),
    "vgg19": Entry("vgg", "VGG", "VGG configuration E", {"configuration": "E"}),
    "googlenet": Entry("googlenet", "GoogLeNet", "GoogLeNet with batch normalisation, of which weights are published"),
    "googlenet_2014": Entry(
        "googlenet",
        "GoogLeNet",
        "GoogLeNet as published (Szegedy et al. 2015)",
        {"batch_norm": False, "wide": 5, "dropout": 0.4},
    ),
    **{
        f"resnet{d}": Entry("resnet", "ResNet", f"residual network of {d} layers (He et al. 2016)", {"depth": d})
        for d in (18, 34, 50, 101, 152)
    },
    **{
        f"densenet{d}": Entry(
            "densenet", "DenseNet", f"densely connected network of {d} layers (Huang et al. 2017)", {"depth": d}
        )
        for d in (121, 169, 201)
    },
    "convnet": Entry("convnet", "ConvNet", "a small network with batch normalisation, for images of 8 to 64 pixels"),
    "board": Entry("board", "BoardNet", "residual blocks on a board, with a logit for each point (Silver et al. 2017)"),
    "multitask": Entry("multitask", "MultiTask", "several classifiers on one trunk (Caruana 1997)"),
    "rnn": Entry("recurrent", "Recurrent", "a plain recurrent network on sequences (Elman 1990)", {"cell": "rnn"}),
    "lstm": Entry("recurrent", "Recurrent", "long short-term memory on sequences", {"cell": "lstm"}),
    "gru": Entry("recurrent", "Recurrent", "gated recurrent units on sequences (Cho et al. 2014)", {"cell": "gru"}),
    "attention": Entry("attention", "EntityAttention", "self-attention on sets of entities (Baker et al. 2020)"),
    "gcn": Entry("graph", "GCN", "graph convolutions on the nodes of a graph (Kipf & Welling 2017)"),
}
MODELS: dict[str, Entry] = {  # that can be sampled
    "nade": Entry("nade", "NADE", "binary vectors, a number after the other (Larochelle and Murray 2011)"),
    "made": Entry("made", "MADE", "an autoencoder with masks, on binary vectors (Germain et al. 2015)"),
    "vae": Entry("vae", "VAE", "a variational autoencoder (Kingma and Welling 2014)"),
    "conv-vae": Entry(
        "vae", "VAE", "a variational autoencoder whose encoder is a network on images", {"encoder": "convnet"}
    ),
    "pixelcnn": Entry(
        "pixelcnn", "PixelCNN", "masked convolutions, a pixel after the other (van den Oord et al. 2016)"
    ),
    "gated-pixelcnn": Entry(
        "pixelcnn",
        "PixelCNN",
        "PixelCNN of gated blocks without a blind spot (van den Oord et al. 2016)",
        {"gated": True},
    ),
    "pixelcnn++": Entry(
        "pixelcnnpp", "PixelCNNPlusPlus", "PixelCNN with mixtures of discretised logistics (Salimans et al. 2017)"
    ),
    "pixelrnn": Entry("pixelrnn", "PixelRNN", "LSTM along the diagonals of an image (van den Oord et al. 2016)"),
    "row-lstm": Entry(
        "pixelrnn", "PixelRNN", "LSTM along the rows of an image (van den Oord et al. 2016)", {"layer": "row"}
    ),
    "rbm": Entry("rbm", "RBM", "restricted Boltzmann machine on binary vectors (Hinton 2002)"),
    "dbn": Entry("dbn", "DBN", "deep belief network on binary vectors (Hinton et al. 2006)"),
    "boltzmann": Entry(
        "boltzmann", "BoltzmannMachine", "Boltzmann machine of at most 16 binary units (Ackley et al. 1985)"
    ),
    "gan": Entry("gan", "GAN", "a generator against a discriminator, fully connected (Goodfellow et al. 2014)"),
    "dcgan": Entry(
        "gan",
        "GAN",
        "the same with strided convolutions (Radford et al. 2016), for images of 8 to 64 pixels",
        {"architecture": "convolutional", "image_size": (28, 28)},
    ),
    "wgan-gp": Entry(
        "gan",
        "GAN",
        "a generator against a critic with a gradient penalty (Gulrajani et al. 2017)",
        {"architecture": "convolutional", "loss": "wasserstein", "num_critic": 5, "image_size": (28, 28)},
        {"learning_rate": 1e-4, "momentum": 0.0},
    ),
    "gsn": Entry("gsn", "GSN", "a denoising chain with noisy hidden units, on binary vectors (Bengio et al. 2014)"),
}


def network_class(name: str) -> Any:
    """Imports and returns the class of a network or generative model.

    Raises:
        ValueError: there is no such network; the nearest name is offered.
    """
    entry = _entry(name)
    return getattr(importlib.import_module(f"palestra.networks.{entry.module}"), entry.attribute)


def usual_fit(name: str) -> dict[str, Any]:
    """Returns the options of `FitConfig`, where they are not its defaults, that a network is usually fitted with.

    Raises:
        ValueError: there is no such network.
    """
    return {**getattr(network_class(name), "fit_defaults", {}), **_entry(name).fit}


def create(
    name: str,
    *,
    in_channels: int,
    num_classes: int | None = None,
    pretrained: bool | str | Path = False,
    features_only: bool = False,
    **options: Any,
) -> "nn.Module":
    """Builds a network: `num_classes` outputs a sample, or its features, `num_features` of them, where that is None.

    A generative model can be conditioned on so many classes instead.
    `in_channels` counts the numbers of a vector or the planes of an image. `pretrained` is True for published weights,
    which are downloaded, or the path of a folder of `save_pretrained` or of a file of weights; heads of another number
    of classes are left as they are initialised. With `features_only` the outputs of the stages are returned as a list.
    `options` are the network's own, plain numbers, strings and lists. All image networks take `image_size=(H, W)`, and
    `mean` and `std` of each channel, in the scale of [0, 1], by which they normalise images.

    Raises:
        ValueError: there is no such network or option, a size is wrong, or the weights are of another network.
    """
    kind = network_class(name)
    chosen = {**_entry(name).options, **options}
    mean, std = chosen.pop("mean", None), chosen.pop("std", None)
    try:
        network: nn.Module = kind(in_channels, num_classes, **chosen)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise ValueError(f"the network {name!r} has no option {str(error).split()[-1]}; {_options_of(kind)}") from None
    network.config = {"network": name, "in_channels": in_channels, "num_classes": num_classes, **options}  # type: ignore[assignment]
    if mean is not None:
        network.pixels.normalize(mean, std)  # type: ignore[operator, union-attr]
    if pretrained:
        from palestra.networks.pretrained import load_into

        load_into(network, pretrained)
    if features_only:
        from palestra.networks.stages import FeatureMaps

        return FeatureMaps(network)
    return network


def _entry(name: str) -> Entry:
    entry: Entry = named(name, NETWORKS | MODELS, "network")
    return entry


def _options_of(kind: Any) -> str:
    import inspect

    names = [p.name for p in inspect.signature(kind).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return f"it has {', '.join(names)}" if names else "it has none"
