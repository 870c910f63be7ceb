"""Plant known faults into a copy of the package, one at a time: the tests must notice each.

Run with ``make faults``. A fault that no test notices is printed and makes the exit code 1; so does
a line of code that is no longer there to be changed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Fault:
    """One line that is wrong.

    Parameters
    ----------
    what : str
        The mistake, in words.
    file : str
        Where, from the root of the package.
    right, wrong : str
        The text that is replaced (it occurs once), and by what.
    tests : str
        The tests that should notice.
    """

    what: str
    file: str
    right: str
    wrong: str
    tests: str


FAULTS = (
    Fault(
        "debiased HSIC with n − 1 for n − 2",
        "stats/hsic.py",
        "- 2 / (n - 2) * rows) / (n * (n - 3))",
        "- 2 / (n - 1) * rows) / (n * (n - 3))",
        "tests/measures/test_published_values.py tests/measures/test_against_oracles.py",
    ),
    Fault(
        "chance level over n for n − 1",
        "stats/hsic.py",
        "trace_x * trace_y / (n - 1) ** 3",
        "trace_x * trace_y / (n - 1) ** 2 / n",
        "tests/measures/test_chance.py",
    ),
    Fault(
        "no shift before products",
        "linalg/centre.py",
        "return array.constant(mean)",
        "return array.constant(mean) * 0",
        "tests/numerics/test_offsets.py",
    ),
    Fault(
        "sums of float32 rows not widened",
        "linalg/blocks.py",
        "xp.sum(array.widen(xp.linalg.vecdot(K, L, axis=-1)))",
        "xp.sum(xp.linalg.vecdot(K, L, axis=-1))",
        "tests/linalg/test_blocks.py",
    ),
    Fault(
        "streams multiply float32",
        "stats/moments.py",
        'if self.products == "float64":',
        'if self.products == "never":',
        "tests/stats/test_streamed_numerics.py",
    ),
    Fault(
        "merge forgets that the references differ",
        "stats/sums.py",
        "b = _moved(b, [g - m for g, m in zip(gaps, means, strict=True)])",
        "b = _moved(b, [-m for m in means])",
        "tests/stats/test_partitions.py",
    ),
    Fault(
        "a batch is kept without a copy",
        "stats/moments.py",
        "tuple(x * 1.0 for x in X)",
        "tuple(x for x in X)",
        "tests/stats/test_state.py",
    ),
    Fault(
        "median over all entries for over pairs",
        "kernels/distances.py",
        'if median == "all":\n        return linalg',
        'if median != "none":\n        return linalg',
        "tests/test_kernels.py",
    ),
    Fault(
        "CCA divided by the larger rank",
        "stats/linear.py",
        "return total / xp.minimum(rank_x, rank_y)",
        "return total / xp.maximum(rank_x, rank_y)",
        "tests/measures/test_against_oracles.py",
    ),
    Fault(
        "SVCCA keeps one axis more",
        "stats/linear.py",
        "before < variance * xp.sum(squares)",
        "before - squares < variance * xp.sum(squares)",
        "tests/measures/test_against_oracles.py",
    ),
    Fault(
        "Theorem 1 refused one sample late",
        "stats/linear.py",
        "sum(each or 0 for each in seen) < n - 1:",
        "sum(each or 0 for each in seen) < n:",
        "tests/measures/test_saturation.py",
    ),
    Fault(
        "regression explains X and not Y",
        "stats/linear.py",
        "explained = xp.sum(overlap.matrix**2 @ overlap.y.values**2)",
        "explained = xp.sum(overlap.x.values**2 @ overlap.matrix**2)",
        "tests/measures/test_against_oracles.py",
    ),
    Fault(
        "PWCCA weighted by variance alone",
        "stats/linear.py",
        "weights = overlap.x.carried(directions)",
        "weights = overlap.x.values[: values.shape[0]] ** 2",
        "tests/measures/test_pwcca.py",
    ),
    Fault(
        "an output is recorded without a copy",
        "models/torch.py",
        "            copy=True,\n            memory_format",
        "            copy=False,\n            memory_format",
        "tests/models",
    ),
    Fault(
        "the second call of a module overwrites the first",
        "models/torch.py",
        'called = module if times == 1 else f"{module}#{times}"',
        "called = module",
        "tests/models",
    ),
    Fault(
        "the model stays in evaluation mode",
        "models/torch.py",
        "module.training = training",
        "pass",
        "tests/models/test_state.py",
    ),
    Fault(
        "hooks stay",
        "models/torch.py",
        "stack.callback(self.modules[name].register_forward_hook(hook).remove)",
        "self.modules[name].register_forward_hook(hook)",
        "tests/models/test_state.py",
    ),
    Fault(
        "the lower half of the table is not mirrored but left out",
        "pairs/table.py",
        "each[i, j] = each[j, i]",
        "pass",
        "tests/pairs/test_values.py",
    ),
    Fault(
        "an all-NaN answer is handed out",
        "_core/checks.py",
        "    if seen is None or math.isfinite(seen):\n        return value\n    locate",
        "    if True:\n        return value\n    locate",
        "tests/hostile/test_not_finite.py",
    ),
    Fault(
        "a NaN is located one column off",
        "_core/checks.py",
        "row, column = divmod(flat, X.shape[1])",
        "row, column = divmod(flat + 1, X.shape[1])",
        "tests/hostile/test_not_finite.py",
    ),
    Fault(
        "ids that differ in order are taken as equal",
        "results/correspond.py",
        "if a.ids != b.ids:",
        "if set(a.ids) != set(b.ids):",
        "tests/results/test_correspond.py",
    ),
    Fault(
        "names are written into reports unescaped",
        "report/html.py",
        "autoescape=True",
        "autoescape=False",
        "tests/report",
    ),
    Fault(
        "tiles below the diagonal forgotten",
        "stats/tiles.py",
        "weight = 1 if i == j else 2",
        "weight = 1",
        "tests/pairs/test_forms.py",
    ),
    Fault(
        "the bandwidth of tiles without its 2",
        "kernels/distances.py",
        "exponent = -1 / (2 * fraction**2 * width)",
        "exponent = -1 / (fraction**2 * width)",
        "tests/pairs/test_forms.py",
    ),
    Fault(
        "batches of unequal size weighted equally",
        "stats/minibatch.py",
        "weights = np.array(self.rows, dtype=float)",
        "weights = np.ones(len(self.rows))",
        "tests/pairs/test_live.py",
    ),
    Fault(
        "the sums of one kernel for all measures",
        "pairs/live.py",
        "batches = streamed.batches[_kernels(measure)]\n    value",
        "batches = next(iter(streamed.batches.values()))\n    value",
        "tests/pairs/test_live.py",
    ),
    Fault(
        "shards taken unchecked",
        "store/shards.py",
        "if check and _checksum(data) != shard.sha256:",
        "if check and not shard.sha256:",
        "tests/models/test_storing.py",
    ),
    Fault(
        "samples left out without centring again",
        "stats/jackknife.py",
        "(shares.sum(axis=0) - 2 * shares - 2 * shares / (m - 2)) / (m * (m - 3))",
        "(shares.sum(axis=0) - 2 * shares) / (m * (m - 3))",
        "tests/inference/test_intervals.py",
    ),
    Fault(
        "shares of samples from matrices that are not centred",
        "stats/row_shares.py",
        "parts.append((K - v[rows, None] - v[None, :]) * off)",
        "parts.append(K * off)",
        "tests/pairs/test_intervals.py",
    ),
    Fault(
        "the mirror image of a tile left out of the shares",
        "stats/tile_shares.py",
        "_add(total, xp.permute_dims(stack, (0, 2, 1)), j, split, same)",
        "pass",
        "tests/pairs/test_intervals.py",
    ),
    Fault(
        "z of biased CKA without the diagonal",
        "stats/permutation_moments.py",
        "left * other_left + (n - 3) / (2 * n * (n - 1)) * excess * other_excess",
        "left * other_left",
        "tests/pairs/test_intervals.py",
    ),
    Fault(
        "intervals for rows that depend on each other",
        "pairs/intervals.py",
        "if grouped(both):",
        "if False:",
        "tests/pairs/test_intervals.py",
    ),
    Fault(
        "a common cause taken out of one side only",
        "measures/controlled.py",
        "(xy - xz * yz) / xp.sqrt(left)",
        "(xy - xz) / xp.sqrt(left)",
        "tests/measures/test_controlled.py",
    ),
    Fault(
        "products of a neuron with itself counted",
        "measures/neurons.py",
        'left = (own.norm("debiased") ** 2 - xp.sum(alone))',
        'left = own.norm("debiased") ** 2',
        "tests/measures/test_controlled.py",
    ),
)


def noticed(fault: Fault, folder: Path) -> bool:
    """Return whether the tests fail with the fault in a copy of the package in `folder`."""
    package = folder / "visavis"
    shutil.copytree(ROOT / "src" / "visavis", package)
    file = package / fault.file
    code = file.read_text(encoding="utf-8")
    if code.count(fault.right) != 1:
        sys.exit(f"{fault.what}: {fault.right!r} occurs {code.count(fault.right)} times")
    file.write_text(code.replace(fault.right, fault.wrong), encoding="utf-8")
    quietly = ["-q", "-x", "-p", "no:cacheprovider", "-n", "2"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *quietly, *fault.tests.split()],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode and " failed" not in run.stdout:
        sys.exit(f"{fault.what}: pytest itself failed\n{run.stdout[-2000:]}")
    return run.returncode != 0


def main() -> int:
    """Plant every fault, print what the tests say, return the exit code."""
    missed = 0
    for fault in FAULTS:
        with tempfile.TemporaryDirectory() as folder:
            seen = noticed(fault, Path(folder))
        missed += not seen
        print(f"{'noticed' if seen else 'MISSED '}  {fault.what}", flush=True)
    print(f"{len(FAULTS) - missed} of {len(FAULTS)} planted faults were noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
