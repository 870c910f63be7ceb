"""Models and the caller's state are left as they were found, whatever happens."""

import copy

import pytest
import torch
from tests.models.nets import ConvNet, Failing, Twice, samples, seeded
from torch import nn

from visavis.models import extract

X = samples(6, 3)


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def mixed_flags(model):
    """Set every other module to training mode and return the flags."""
    for number, module in enumerate(model.modules()):
        module.training = number % 2 == 0
    return flags(model)


def flags(model):
    return [module.training for module in model.modules()]


def test_training_flags_are_set_back_one_by_one():
    model = ConvNet()
    before = mixed_flags(model)
    extract(model, samples(4, 3, 7, 7))
    assert flags(model) == before


def test_model_runs_in_evaluation_mode():
    model, x = ConvNet().train(), samples(4, 3, 7, 7)
    state = copy.deepcopy(model.state_dict())
    acts = extract(model, x)
    torch.testing.assert_close(dict(acts), dict(extract(model.eval(), x)))
    torch.testing.assert_close(model.state_dict(), state, rtol=0, atol=0)


def test_training_mode_is_reported():
    model = seeded(Twice)
    model.relu.train()
    (finding,) = [f for f in extract(model, X).findings if f.code == "VV013"]
    assert finding.severity == "info"
    assert "on for 1 of 5 modules" in finding.message


def test_evaluation_mode_is_not_reported():
    assert "VV013" not in {f.code for f in extract(seeded(Twice), X).findings}


def test_train_of_a_module_is_not_called():
    class Merging(nn.Linear):
        """Like adapters that fold themselves into the weight on eval()."""

        def train(self, mode=True):
            raise AssertionError

    model = nn.Sequential(Merging(3, 3))
    assert extract(model, X)["0"].shape == (6, 3)


@pytest.mark.parametrize("error", [RuntimeError("no memory"), KeyboardInterrupt(), SystemExit(3)])
def test_state_after_an_exception_in_forward(error):
    model = Failing(error)
    before = mixed_flags(model)
    with pytest.raises(type(error)):
        extract(model, [X, X])
    assert hooks(model) == 0
    assert flags(model) == before
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_state_after_an_exception_in_the_loader(error):
    def batches():
        yield X
        raise error

    model = Twice().train()
    with pytest.raises(error):
        extract(model, batches())
    assert hooks(model) == 0
    assert all(flags(model))


def test_state_after_an_exception_in_a_pool():
    def pool(output, name):
        raise RuntimeError(name)

    model = Twice().train()
    with pytest.raises(RuntimeError, match="first"):
        extract(model, X, pool=pool)
    assert hooks(model) == 0
    assert all(flags(model))


def test_state_of_every_model_after_an_exception_in_one():
    models = {"good": Twice().train(), "bad": Failing(RuntimeError("late")).train()}
    with pytest.raises(RuntimeError, match="late"):
        extract(models, [X, X])
    assert [hooks(model) for model in models.values()] == [0, 0]
    assert all(flags(models["good"]) + flags(models["bad"]))


def test_exception_in_forward_says_what_was_run():
    with pytest.raises(RuntimeError) as caught:
        extract(seeded(Twice), samples(4, 3).double())
    assert caught.value.__notes__ == ["extract: Twice was run on (4, 3) float64; see `inputs`."]


def test_hooks_of_the_caller_stay_and_count():
    model = seeded(Twice)
    model.first.register_forward_hook(lambda module, args, output: torch.full_like(output, 7.0))
    acts = extract(model, X, "first")
    assert hooks(model) == 1
    assert (acts["first"] == 7).all()


@pytest.mark.parametrize("enabled", [True, False])
def test_no_gradients(enabled):
    with torch.set_grad_enabled(enabled):
        acts = extract(seeded(Twice), X.clone().requires_grad_())
        assert torch.is_grad_enabled() is enabled
    assert not any(X.requires_grad or X.grad_fn for X in acts.values())


def test_results_are_ordinary_tensors_even_in_inference_mode():
    with torch.inference_mode():
        acts = extract(seeded(ConvNet), samples(4, 3, 7, 7))
        assert torch.is_inference_mode_enabled()
    X = acts["head"]
    assert not any(X.is_inference() for X in acts.values())
    X.requires_grad_().square().sum().backward()
    torch.testing.assert_close(X.grad, 2 * X.detach())


def test_random_state_is_untouched():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout()).train()
    state = torch.get_rng_state()
    extract(model, [X, X])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("as_numpy", [False, True])
def test_input_is_never_changed(as_numpy):
    model = nn.Sequential(nn.ReLU(inplace=True)).eval()
    batch = X.numpy().copy() if as_numpy else X.clone()
    extract(model, batch)
    assert torch.equal(torch.as_tensor(batch), X)


def test_input_is_never_changed_for_the_next_model():
    models = [nn.Sequential(nn.ReLU(inplace=True)), nn.Sequential(nn.Identity())]
    _, second = extract(models, [X.clone()])
    assert torch.equal(second["0"], X)
