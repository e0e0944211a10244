"""What cannot be trained is refused before anything is trained or written."""

import pytest

import losslab
from losslab import lab
from losslab.lab.backend import backend_of, use_keras
from losslab.lab.data import DataSpec, load
from losslab.lab.errors import LabError
from losslab.lab.tasks import TASKS


@pytest.fixture(scope="module")
def rehearse():
    use_keras("jax")
    from losslab.lab import rehearsal

    return rehearsal.rehearse


@pytest.mark.parametrize("name", sorted(set(losslab.names()) - {"circle", "ctc"}))
def test_every_loss_on_classes_passes(rehearse, name):
    digits = load(DataSpec("digits"))
    for batch in (1, 32):
        rehearse(name, losslab.get(name), TASKS["classes"](), digits, batch, "scan")


@pytest.mark.parametrize("engine", ["fit:tensorflow", "torch"])
def test_every_loss_passes_on_the_other_frameworks(rehearse, engine):
    pytest.importorskip(backend_of(engine), reason=f"{backend_of(engine)} is not installed")
    digits = load(DataSpec("digits"))
    for name in sorted(set(losslab.names()) - {"circle", "ctc"}):
        rehearse(name, losslab.get(name), TASKS["classes"](), digits, 32, engine)
    with pytest.raises(LabError, match="gives values of shape"):
        rehearse("mse", losslab.get("mse:reduction=none"), TASKS["classes"](), digits, 32, engine)


def formulas():
    def raises(ops, y_true, y_pred):
        raise RuntimeError("my own words\nand more of them")

    def branches(ops, y_true, y_pred):
        return y_pred if y_pred[0, 0] > 0 else y_true

    def has_no_gradient(ops, y_true, y_pred):
        import jax

        return jax.lax.while_loop(lambda values: values.sum() < 0, lambda values: values + y_true, y_pred)

    words = ("RuntimeError: my own words\n", "TracerBoolConversionError", "Reverse-mode differentiation")
    return list(zip((raises, branches, has_no_gradient), words, strict=True))


@pytest.mark.parametrize(("formula", "said"), formulas())
def test_what_a_formula_raises_is_quoted(tmp_path, formula, said):
    namespace = {"formula": lambda self, ops, y_true, y_pred: formula(ops, y_true, y_pred)}
    broken = losslab.register(type("Broken", (losslab.ElementLoss,), namespace))
    with pytest.raises(LabError, match=r"broken cannot be trained on labels of shape \(32, 10\)") as refusal:
        lab.compare("digits", [broken()], out=tmp_path / "run")
    assert said in str(refusal.value)
    assert not (tmp_path / "run").exists()
