"""How transferable are the stages of a network? After Yosinski, Clune, Bengio and Lipson (NIPS 2014), in two minutes.

A is half of the classes with all their images, B the other half with `--few` images. The first picture shows accuracy
on B against the number of stages that were copied from a network of A (AnB), or of B as the control (BnB), kept as they
are or fine-tuned (+). The second shows what a linear classifier makes of each stage of a network that was fitted to all
classes, and of one with its first weights.

    python docs/examples/transfer.py [--data digits] [--few 50] [--seeds 5] [--updates 300] [--out FOLDER]
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torch import nn

from palestra.networks import create
from palestra.perception import transfer
from palestra.perception.data import Images, load_images
from palestra.perception.learning_pictures import draw_probe, draw_transfer
from palestra.perception.training import few, fitted, seeded, with_updates

PICTURES = Path(__file__).parents[1] / "images"


def small(images: Images, num_classes: int | None) -> nn.Module:
    """Makes a network of three convolutions and a hidden layer, for images of such a kind."""
    mean, std = images.mean_std()
    return create(
        "convnet",
        in_channels=images.in_channels,
        num_classes=num_classes,
        image_size=images.image_size,
        widths=((8,), (16,), (32,)),
        hidden=64,
        dropout=0.0,
        mean=mean,
        std=std,
    )


def main(words: Sequence[str] | None = None) -> None:
    """Measures, prints tables, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--few", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--out", type=Path, default=PICTURES)
    args = parser.parse_args(words)
    args.out.mkdir(parents=True, exist_ok=True)

    images = load_images(args.data)
    a, second = (transfer.of_classes(images, half) for half in transfer.halves(images.num_classes))
    b, test = second.split(0.5, seed=0)
    b = few(b, args.few, 0)
    make = partial(small, a)
    rows = transfer.layer_transfer(
        make,
        a,
        b,
        test,
        seeds=range(args.seeds),
        updates=(args.updates, args.updates // 2),
        progress=print,
    )
    print(transfer.table(rows))
    names = [", ".join(part.classes) for part in (a, b)]
    draw_transfer(rows, args.out / "transfer.png", f"A: {names[0]} ({len(a):,} images); B: {names[1]} ({len(b):,})")

    train, held_out = images.split(0.2, seed=0)
    config = with_updates(transfer.FIT, len(train), args.updates)
    networks = {
        "fitted": fitted(seeded(make, images.num_classes, 0), train, config, seed=0),
        "first weights": seeded(make, images.num_classes, 0),
    }
    known = few(train, min(len(train), 2000), 0)
    probes = {name: transfer.linear_probe(network, known, held_out, grid=2) for name, network in networks.items()}
    for name, mine in probes.items():
        print(f"{name}: " + ", ".join(f"{probe.stage} {probe.accuracy:.2%}" for probe in mine))
    draw_probe(probes, args.out / "probes.png", f"Linear probes of a network's stages, {Path(images.name).stem}")
    print(args.out / "transfer.png")
    print(args.out / "probes.png")


if __name__ == "__main__":
    main()
