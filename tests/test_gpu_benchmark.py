"""The benchmark for a GPU, tried without one: what is wrong is not timed, and its script runs to the end."""

import importlib
import json
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

BENCHMARKS = pathlib.Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    with np.errstate(all="ignore"):  # Triton's interpreter computes in NumPy
        yield importlib.import_module("gpu")


def scaled(factor):
    """The cross-entropy of logits, its gradient multiplied by a factor."""

    def loss(logits, labels):
        value = torch.nn.functional.cross_entropy(logits, labels)
        return factor * value + (1 - factor) * value.detach()

    return loss


def spoiling(logits, labels):
    value = torch.nn.functional.cross_entropy(logits, labels)
    logits.data.fill_(1.0)
    return torch.nn.functional.cross_entropy(logits, labels) - value.detach() + value


def refusing(logits, labels):
    raise RuntimeError("not this shape")


def missing():
    return importlib.import_module("a_package_that_is_not_there")


def statuses(gpu, monkeypatch, **losses):
    """What becomes of contenders; a list holds what makes one."""
    contenders = [
        gpu.Contender(name, *(made if isinstance(made, list) else [lambda made=made: made]))
        for name, made in losses.items()
    ]
    monkeypatch.setattr(gpu, "of_logits", lambda compiler: contenders)
    return {each["contender"]: each for each in gpu.measured(gpu.TINY[0], gpu.Cpu(), 2)}


def test_without_a_gpu_it_says_so(gpu, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: set CUDA_VISIBLE_DEVICES=-1")
    assert gpu.main([]) == 4
    assert "sees no GPU" in capsys.readouterr().err


def test_a_problem_that_there_is_not(gpu, capsys):
    assert gpu.main(["--interpret", "--tiny", "--only", "nonesuch"]) == 2
    assert "linear 8x16x50 float32 peaked" in capsys.readouterr().err


def test_what_is_wrong_is_not_timed(gpu, monkeypatch):
    found = statuses(gpu, monkeypatch, right=scaled(1.0), gradient=scaled(1.01), nan=scaled(torch.nan))
    assert {name: each["status"] for name, each in found.items()} == {
        "right": "right",
        "gradient": "wrong",
        "nan": "wrong",
    }
    assert "g=1" not in found["gradient"]
    assert all(len(found["right"][mode]["seconds"]) == 2 for mode in gpu.MODES)
    assert found["gradient"]["error of gradient"] == pytest.approx(0.01, rel=0.01)


def test_a_gradient_that_ignores_the_upstream_one_is_wrong(gpu, monkeypatch):
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, logits, labels):
            one_hot = torch.nn.functional.one_hot(labels, logits.shape[1])
            ctx.save_for_backward((torch.softmax(logits, 1) - one_hot) / len(labels))
            return torch.nn.functional.cross_entropy(logits, labels)

        @staticmethod
        def backward(ctx, upstream):
            return ctx.saved_tensors[0], None

    found = statuses(gpu, monkeypatch, own=Own.apply)
    assert found["own"]["status"] == "wrong"


def test_a_nan_in_one_gradient_of_two_is_wrong(gpu, monkeypatch):
    def loss(hidden, weight, labels):
        weight = weight * 1.0
        if weight.requires_grad:
            weight.register_hook(lambda gradient: gradient * torch.nan)
        return torch.nn.functional.cross_entropy(hidden @ weight.T, labels)

    monkeypatch.setattr(gpu, "of_hidden", lambda compiler: [gpu.Contender("loss", lambda: loss)])
    assert gpu.measured(gpu.TINY[1], gpu.Cpu(), 1)[0]["status"] == "wrong"


def test_a_contender_that_overwrites_the_logits_spoils_those_of_no_other(gpu, monkeypatch):
    found = statuses(gpu, monkeypatch, spoiling=[lambda: spoiling, True], after=scaled(1.0))
    assert found["after"]["status"] == "right"


def test_a_contender_that_cannot_does_not_take_part(gpu, monkeypatch):
    found = statuses(gpu, monkeypatch, refusing=refusing, missing=[missing], right=scaled(1.0))
    assert found["refusing"]["status"] == "failed: RuntimeError: not this shape"
    assert found["missing"]["status"].startswith("not here: No module named")
    assert found["right"]["status"] == "right"


def test_the_reference_is_what_pytorch_gives(gpu):
    for problem in gpu.TINY:
        *inputs, labels = problem.arrays("cpu")
        value, gradients = gpu.reference((*inputs, labels))
        inputs = [x.double().requires_grad_() for x in inputs]
        logits = inputs[0] @ inputs[1].T if problem.width else inputs[0]
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        assert value == pytest.approx(float(loss.detach()), rel=1e-12)
        for x, found in zip(inputs, gradients, strict=True):
            torch.testing.assert_close(x.grad.float(), found)


def test_the_whole_script(gpu, tmp_path, capsys):
    """Losslab takes part and is right in every problem."""
    path = tmp_path / "results.json"
    assert gpu.main(["--interpret", "--tiny", "--rounds", "1", "--json", str(path)]) == 0
    results = json.loads(path.read_text())
    ours = [each for problem in results["problems"] for each in problem["contenders"] if "losslab" in each["contender"]]
    assert len(ours) == 3
    assert all(each["status"] == "right" and each["g=0.5"]["seconds"] for each in ours)
    assert "error" in capsys.readouterr().out


def test_the_kernels_alone(gpu, tmp_path, monkeypatch):
    pytest.importorskip(
        "triton",
        reason="triton is not installed: beside TensorFlow in one process it crashes, so it has an extra of its own",
    )
    from losslab._linear import _triton_rows

    monkeypatch.setattr(gpu, "BLOCKS", (16, 64))
    before, path = _triton_rows._BLOCK, tmp_path / "results.json"
    assert gpu.main(["--interpret", "--tiny", "--rounds", "1", "--kernels", "--json", str(path)]) == 0
    assert len(json.loads(path.read_text())["kernels"]) == 2 * 3 * 3 * 2
    assert before == _triton_rows._BLOCK
