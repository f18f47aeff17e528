"""A classifier, what it gets wrong, how sure it may be, and what scikit-learn's classifiers make of the same images.

A fifth of the images is the test, a tenth of the rest is held out; it decides the temperature. The picture shows the
confusion matrix and the reliability diagram on the test images.

    python docs/examples/report.py [--data digits] [--network convnet] [--epochs 20] [--out FILE.png]
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from palestra.networks.fit import FitConfig, Learner
from palestra.perception import baselines
from palestra.perception.calibration import reliability, temperature
from palestra.perception.classify import report
from palestra.perception.data import load_images
from palestra.perception.inputs import inputs_for, network_for
from palestra.perception.learning_pictures import draw_report
from palestra.perception.training import fitted, seeded

PICTURE = Path(__file__).parents[1] / "images" / "report.png"


def main(words: Sequence[str] | None = None) -> None:
    """Fits, prints the report and the table, and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=PICTURE)
    args = parser.parse_args(words)

    train, test = load_images(args.data).split(0.2, seed=0)
    fit_to, held_out = train.split(0.1, seed=0)
    options = {"widths": ((32, 32), (64, 64))} if args.network == "convnet" else {}
    network = seeded(lambda k: network_for(args.network, fit_to, num_classes=k, **options), fit_to.num_classes, 0)
    config = FitConfig(optimizer="adamw", learning_rate=4e-3, schedule="one-cycle", epochs=args.epochs, batch_size=64)
    begin = time.monotonic()
    fitted(network, fit_to, config, seed=0)
    seconds = time.monotonic() - begin

    learner = Learner(network)
    logits = learner.predict(inputs_for(network, test))
    found = report(logits, test.labels, test.classes)
    print(found)
    warmth = temperature(learner.predict(inputs_for(network, held_out)), held_out.labels)
    after = reliability(logits / warmth, test.labels).error
    print(f"temperature {warmth:.2f}: calibration error {found.calibration_error:.2%} becomes {after:.2%}\n")

    rows = baselines.compare(fit_to, test)
    own = baselines.row_of(args.network, int(found.confusion.trace()), found.count, seconds)
    print(baselines.table([*rows, own]))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    draw_report(found, args.out)
    print(args.out)


if __name__ == "__main__":
    main()
