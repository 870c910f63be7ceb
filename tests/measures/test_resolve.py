"""The ways in which a user names a measure, and texts that are none."""

import builtins
import functools
import math
import os

import pytest
import visavis as vv
from tests.measures.records import RECORDS, every_record, sides
from visavis.kernels import cosine, laplacian, linear, polynomial, precomputed, rbf
from visavis.measures import resolve

TEXTS = {
    "cka": {},
    " cka ": {},
    "cka()": {},
    "cka(estimator=biased)": {"estimator": "biased"},
    "cka(estimator='biased')": {"estimator": "biased"},
    "cka(kernel=rbf)": {"kernel": rbf()},
    "cka(kernel=rbf())": {"kernel": rbf()},
    "cka(kernel=rbf(0.4), estimator=biased)": {"kernel": rbf(0.4), "estimator": "biased"},
    "hsic( kernel = rbf( fraction=0.4, median='all' ) )": {"kernel": rbf(0.4, median="all")},
    "cka(kernel=rbf(0.4, median=all))": {"kernel": rbf(0.4, median="all")},
    "cka(kernel=polynomial(2, gamma=0.5, coef0=0))": {"kernel": polynomial(2, gamma=0.5, coef0=0)},
    "cka(kernel=(linear, rbf(0.4)))": {"kernel": (linear(), rbf(0.4))},
    "cka(kernel=(rbf(0.2), laplacian(2)))": {"kernel": (rbf(0.2), laplacian(2))},
    "cka(kernel=precomputed)": {"kernel": precomputed()},
    "cca(form=r2, allow_saturated=True)": {"form": "r2", "allow_saturated": True},
    "svcca(variance=0.9)": {"variance": 0.9},
    "svcca(components=3)": {"components": 3},
    "svcca(components=(3, 5), form=r2)": {"components": (3, 5), "form": "r2"},
    "svcca(components=None)": {},
    "canonical_ridge(kappa=(0, inf))": {"kappa": (0, math.inf)},
    "canonical_ridge(kappa=(1e-3, 10), normalization=cka)": {
        "kappa": (1e-3, 10),
        "normalization": "cka",
    },
    "procrustes(form=euclidean, scale=True)": {"form": "euclidean", "scale": True},
}

# More than the variants of the registry: everything that an option may hold.
FURTHER = [
    vv.registry["cka"].with_options(kernel=kernel)
    for kernel in (
        "rbf",
        linear(),
        rbf(0.4, median="all"),
        rbf(1e-3),
        polynomial(2, gamma=0.5, coef0=2.0),
        polynomial(coef0=0),
        (linear(), rbf(0.4)),
        ("linear", "cosine"),
        (rbf(0.4, median="all"), laplacian(2.0)),
        (cosine(), precomputed()),
    )
]
FURTHER += [
    vv.registry["svcca"].with_options(components=(3, 2), variance=0.5, form="r2"),
    vv.registry["cca"].with_options(allow_saturated=True),
    vv.registry["canonical_ridge"].with_options(kappa=(1e-8, math.inf)),
    vv.registry["procrustes"].with_options(scale=True),
]


def alike(a, b):
    """Whether two records answer the same, a kernel being the same as its name."""
    plain = [{k: v for k, v in m.settings.items() if k != "kernel"} for m in (a, b)]
    return a.name == b.name and plain[0] == plain[1] and sides(a) == sides(b)


@pytest.mark.parametrize(("text", "options"), TEXTS.items(), ids=TEXTS)
def test_text(text, options):
    name = text.strip().split("(")[0]
    assert alike(resolve(text), vv.registry[name].with_options(**options))


@pytest.mark.parametrize("measure", RECORDS + FURTHER, ids=lambda measure: measure.label)
def test_a_label_is_read_back(measure):
    again = resolve(measure.label)
    assert again.label == measure.label
    assert alike(again, measure)
    assert again.invariant_to == measure.invariant_to
    assert (again.low, again.high, again.symmetric) == (
        measure.low,
        measure.high,
        measure.symmetric,
    )


def test_a_label_says_what_is_not_the_default():
    assert vv.registry["cka"].with_options(kernel=rbf(0.4)).label == "cka(kernel=rbf(0.4))"
    assert vv.registry["cca"].with_options(form="rho").label == "cca"
    assert vv.registry["cka"].with_options(kernel=linear()).label == "cka"


@every_record
def test_a_record_is_itself(measure):
    assert resolve(measure) is measure


@pytest.mark.parametrize("name", list(vv.registry))
def test_a_name_and_a_function(name):
    assert resolve(name).label == name
    assert resolve(vv.registry[name].function).label == name


@every_record
def test_a_partial_function(measure):
    assert alike(resolve(functools.partial(measure.function, **measure.options)), measure)


def test_a_partial_of_a_partial():
    inner = functools.partial(vv.cka, kernel=rbf(0.4))
    assert alike(
        resolve(functools.partial(inner, estimator="biased")),
        vv.registry["cka"].with_options(kernel=rbf(0.4), estimator="biased"),
    )


OTHERS = {
    "number": 3,
    "other function": math.sqrt,
    "lambda": lambda X, Y: 0.0,
    "partial with an array": functools.partial(vv.cka, [[1.0]]),
    "partial of another": functools.partial(math.pow),
    "None": None,
    "class": vv.Moments,
}


@pytest.mark.parametrize("spec", OTHERS.values(), ids=OTHERS)
def test_what_is_no_measure(spec):
    with pytest.raises(ValueError, match=r"`measure` must be a name, a record .* The measures are cka"):
        resolve(spec)


@pytest.mark.parametrize("text", ["CKA", "ckaa", "rbf", "linear", "resolve", "Moments", "cka_biased"])
@pytest.mark.parametrize("options", ["", "()", "(estimator=biased)"])
def test_an_unknown_name_lists_the_known(text, options):
    with pytest.raises(ValueError, match=f"must name a measure, got '{text}'. The measures are cka"):
        resolve(text + options)


UNREADABLE = [
    "",
    "   ",
    "cka(",
    "cka)",
    "cka estimator=biased",
    "cka(biased)",
    "cka(0.4)",
    "cka(estimator=)",
    "cka(estimator=biased",
    "cka; hsic",
    "cka\nhsic",
    "cka, hsic",
    "3",
    "'cka'",
    "[cka]",
    "visavis.cka",
    "vv.cka(estimator=biased)",
    "cka(estimator=biased)(kernel=rbf)",
    "cka(**options)",
    "cka(*options)",
    "cka(kernel=rbf(**options))",
    "cka(kernel=rbf(*options))",
    "cka(kernel=gauss(0.4))",
    "cka(kernel=rbf(0.4).gram)",
    "cka(kernel=rbf(0.2 if True else 0.4))",
    "cka(estimator={[]: 1})",
    "cka(estimator=f'{1}')",
    "cka(\0)",
]
# Deeper than any option.
DEEP = ["cka(kernel=" + "(" * 3_000, "svcca(components=" + "-" * 3_000 + "1)", "(" * 3_000]


@pytest.mark.parametrize("text", UNREADABLE, ids=ascii)
def test_a_text_that_cannot_be_read_shows_one_that_can(text):
    message = r"`measure` must be a name or name\(option=value, \.\.\.\), got .* For instance cka"
    with pytest.raises(ValueError, match=message):
        resolve(text)


@pytest.mark.parametrize("text", DEEP, ids=["brackets", "signs", "name"])
def test_a_text_too_deep_to_be_read_is_unreadable(text):
    with pytest.raises(ValueError, match="`measure` must be a name or name"):
        resolve(text)


WRONG_OPTIONS = {
    "cka(colour=red)": (TypeError, "cka: `options` must be among kernel, estimator, got colour"),
    "cka(estimator=unbiased)": (ValueError, "cka: `estimator` must be one of 'debiased', 'biased'"),
    "cka(kernel=gauss)": (ValueError, "cka: `kernel` must be one of 'linear', 'rbf'"),
    "cka(kernel=3)": (TypeError, "cka: `kernel` must be a name or a .*Kernel, got int"),
    "cka(kernel=(rbf, rbf, rbf))": (ValueError, "cka: `kernel` must be one kernel or a pair, got 3"),
    "cka(kernel=rbf(-1))": (ValueError, "rbf: `fraction` must be positive, got -1"),
    "cka(kernel=rbf(wide))": (ValueError, "rbf: `fraction` must be positive, got 'wide'"),
    "cka(kernel=rbf(1, 2))": (ValueError, "`measure` must be a name or name.option=value"),
    "cka(kernel=rbf(sigma=2))": (ValueError, "`measure` must be a name or name.option=value"),
    "procrustes(form=angle)": (ValueError, "procrustes: `form` must be one of 'angular'"),
    "cca(form=r)": (ValueError, "cca: `form` must be one of 'rho', 'r2', got 'r'"),
    "svcca(variance=99)": (ValueError, r"svcca: `variance` must be in \(0, 1\], got 99"),
    "canonical_ridge(kappa=5)": (ValueError, "canonical_ridge: `kappa` must be a pair of numbers"),
    "canonical_ridge(kappa=(1, -1))": (ValueError, "canonical_ridge: `kappa` must be a pair"),
    "canonical_ridge(kappa=(a, b))": (ValueError, "canonical_ridge: `kappa` must be a pair"),
    "canonical_ridge(normalization=rv)": (ValueError, "`normalization` must be one of 'cca'"),
}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [(text, *rest) for text, rest in WRONG_OPTIONS.items()],
    ids=WRONG_OPTIONS,
)
def test_a_wrong_option_is_refused_before_any_layer_is_read(text, error, message):
    with pytest.raises(error, match=message):
        resolve(text)


MALICIOUS = [
    "__import__('os').system('x')",
    "cka(kernel=rbf(__import__('os')))",
    "cka(kernel=__import__('os').system('x'))",
    "cka(kernel=(linear, __import__('os').system('x')))",
    "cka(estimator=[__import__('os').system('x')])",
    "cka(kernel=rbf(median=open('x', 'w')))",
    "cka(kernel=eval('1'))",
    "cka(estimator=().__class__.__base__.__subclasses__())",
    "cka(estimator=(lambda: __import__('os').system('x'))())",
    "cka(estimator=[x for x in (exec('1'),)])",
    "cka(estimator=(x := __import__('os').system('x')))",
    "cka(estimator=f'{__import__(\"os\").system(\"x\")}')",
    "svcca(components=10**10**10)",
    "exec('import os')",
    "cka(kernel=rbf(0.4))\nimport os",
]


@pytest.fixture
def tripwires(monkeypatch):
    """Whatever a text might run notes that it was run."""
    tripped = []
    for module, name in [(os, "system"), (builtins, "eval"), (builtins, "exec"), (builtins, "open")]:
        monkeypatch.setattr(module, name, lambda *args, name=name: tripped.append(name))
    return tripped


@pytest.mark.parametrize("text", MALICIOUS)
def test_malicious_text_is_refused_and_nothing_runs(tripwires, text):
    with pytest.raises(ValueError, match="`measure` must") as caught:
        resolve(text)
    assert not tripwires
    assert caught.type is ValueError
