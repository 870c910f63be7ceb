"""What names no measure: other things, unreadable texts, wrong options, and malicious texts."""

import builtins
import functools
import math
import os

import pytest

import visavis as vv
from visavis.measures import resolve

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
    with pytest.raises(
        ValueError, match=r"`measure` must be a name, a record .* The measures are cka"
    ):
        resolve(spec)


@pytest.mark.parametrize(
    "text", ["CKA", "ckaa", "rbf", "linear", "resolve", "Moments", "cka_biased"]
)
@pytest.mark.parametrize("options", ["", "()", "(estimator=biased)"])
def test_an_unknown_name_lists_the_known(text, options):
    with pytest.raises(
        ValueError, match=f"must name a measure, got '{text}'. The measures are cka"
    ):
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
    "cka(kernel=(rbf, rbf, rbf))": (
        ValueError,
        "cka: `kernel` must be one kernel or a pair, got 3",
    ),
    "cka(kernel=rbf(-1))": (ValueError, "rbf: `fraction` must be .*positive.*, got -1"),
    "cka(kernel=rbf(wide))": (ValueError, "rbf: `fraction` must be .*positive.*, got 'wide'"),
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
    'cka(estimator=f\'{__import__("os").system("x")}\')',
    "svcca(components=10**10**10)",
    "exec('import os')",
    "cka(kernel=rbf(0.4))\nimport os",
]


TRIPWIRES = [(os, "system"), (builtins, "eval"), (builtins, "exec"), (builtins, "open")]


@pytest.mark.parametrize("text", MALICIOUS)
def test_malicious_text_is_refused_and_nothing_runs(monkeypatch, text):
    tripped, error = [], None
    with monkeypatch.context() as patched:
        for module, name in TRIPWIRES:
            patched.setattr(module, name, lambda *args, name=name: tripped.append(name))
        try:
            resolve(text)
        except ValueError as refusal:
            error = refusal
    # Looked at outside: whoever reports a failure needs what was patched.
    assert not tripped
    assert "`measure` must" in str(error)
