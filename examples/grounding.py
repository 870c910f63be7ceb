"""Which measures see what is known to be there? Small nets with known differences, and every test.

    python examples/grounding.py OUT
    python examples/grounding.py OUT --quick

trains 40 Tiny-10 on a part of Fashion-MNIST (a quarter of an hour on one core), keeps their layers
in OUT so that a second call goes on where the first stopped, and writes OUT/grounding.json. With
--quick it trains fewer on less, in a minute: to see that it runs, not to judge a measure.
"""

import sys
from pathlib import Path

import visavis as vv
from visavis.benchmark import fashion, grounding, tiny10

MEASURES = [
    "cka",
    "cka(kernel=rbf(0.4))",
    "procrustes",
    "cca",
    "svcca",
    "pwcca",
    "linear_regression",
    "rsa",
    "mutual_knn",
]
out, quick = Path(sys.argv[1]), "--quick" in sys.argv
PLAIN, SEEDS, IMAGES, EPOCHS, HELD_OUT = (3, 2, 200, 1, 200) if quick else (5, 5, 2000, 4, 500)

data = fashion.load()
images, labels = data.train_images[:IMAGES], data.train_labels[:IMAGES]
held_out, classes = data.test_images[:HELD_OUT], data.test_labels[:HELD_OUT]
# No mark tells anything here: nets that learned to read it see it, and are misled.
marked = grounding.with_shortcut(held_out, classes, share=0, seed=0)


def layers(kind, seed, images, labels, seen):
    """Train a net unless it is there already; return its pooled layers on what it is shown."""
    store = out / f"{kind}-seed{seed}"
    if not store.exists():
        net = tiny10.train(images, labels, seed=seed, epochs=EPOCHS)
        print(f"{store.name}: accuracy {tiny10.accuracy(net, seen, classes):.2f}", flush=True)
        names = [*tiny10.LAYERS, "logits"]
        vv.extract(net, tiny10.inputs(seen), layers=names, pool="gap", into=store, progress=False)
    return vv.load(store)


plain = {f"plain {seed}": layers("plain", seed, images, labels, held_out) for seed in range(PLAIN)}
shortcut, noisy, augmented = {}, {}, {}
for seed in range(SEEDS):
    for share in (0.0, 0.6, 1.0):
        train = grounding.with_shortcut(images, labels, share=share, seed=seed)
        shortcut[f"shortcut {share} {seed}"] = layers(
            f"shortcut{share}", seed, train, labels, marked
        )
    for share in (0.5, 1.0):
        wrong = grounding.with_label_noise(labels, share=share, seed=seed)
        noisy[f"noise {share} {seed}"] = layers(f"noise{share}", seed, images, wrong, held_out)
    for strength in (0.1, 0.3):
        train = grounding.with_noise(images, strength=strength, seed=seed)
        augmented[f"augmented {strength} {seed}"] = layers(
            f"augmented{strength}", seed, train, labels, held_out
        )


def inner(runs):
    """The layers that are compared: all but the logits."""
    return {name: acts.select(tiny10.LAYERS) for name, acts in runs.items()}


def kind(name):
    """The group of a net: its name without the seed."""
    return name.rpartition(" ")[0]


def separated(runs, name):
    """Whether nets of one kind are more alike than nets of several."""
    groups = {each: kind(each) for each in runs}
    return grounding.group_separation(inner(runs), groups, measures=MEASURES, name=name)


shown = {**plain, **noisy, **augmented}
table = grounding.GroundingTable(
    (
        grounding.component_deletion(
            inner(plain), classes, measures=MEASURES, layers=["conv4", "conv6", "gap"]
        ),
        grounding.seeds_against_layers(inner(plain), classes, measures=MEASURES),
        grounding.layer_monotonicity(inner(plain), measures=MEASURES),
        separated(shortcut, "shortcut"),
        separated({**plain, **noisy}, "label noise"),
        separated({**plain, **augmented}, "augmentation"),
        grounding.output_correlation(
            inner(shown),
            {name: acts["logits"] for name, acts in shown.items()},
            classes,
            measures=MEASURES,
        ),
    )
)
table.save(out / "grounding.json")
for test in table.tests:
    print(test, end="\n\n")
print(table)
