"""Few labels: a classifier from first weights, on the code of an autoencoder, or fine-tuned from it.

The picture shows accuracy on a held-out fifth against the number of labelled images; the autoencoder sees all the
others without their labels.

    python docs/examples/protocols.py [--data digits] [--labels 20 50 200] [--seeds 5] [--epochs 30] [--out FILE.png]
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import nn

from palestra.networks import create
from palestra.networks.fit import FitConfig
from palestra.perception.data import Images, load_images
from palestra.perception.learning_pictures import draw_protocols
from palestra.perception.protocols import compare_protocols, table

PICTURE = Path(__file__).parents[1] / "images" / "protocols.png"


def autoencoder(images: Images, num_classes: int | None) -> nn.Module:
    """Makes an autoencoder whose encoder is a small convolutional network, for images of such a kind."""
    mean, std = images.mean_std()
    return create(
        "conv-autoencoder",
        in_channels=images.in_channels,
        num_classes=num_classes,
        image_size=images.image_size,
        encoder="convnet",
        widths=((16,), (32,)),
        hidden=64,
        dropout=0.0,
        mean=mean,
        std=std,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Trains by each protocol, prints the table, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--labels", type=int, nargs="+", default=[20, 50, 200])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--out", type=Path, default=PICTURE)
    args = parser.parse_args(words)

    train, test = load_images(args.data).split(0.2, seed=0)
    rows = compare_protocols(
        partial(autoencoder, train),
        train,
        test,
        labels=args.labels,
        seeds=range(args.seeds),
        updates=args.updates,
        unsupervised=FitConfig(learning_rate=2e-3, schedule="cosine", epochs=args.epochs, batch_size=64),
        progress=print,
    )
    print(table(rows))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_protocols(rows, args.out, f"{Path(train.name).stem}: {len(train):,} images without labels")
    print(args.out)


if __name__ == "__main__":
    main()
