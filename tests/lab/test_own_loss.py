"""A loss of one's own by its path, registered or not."""

from pathlib import Path

import pytest

import losslab
from losslab.lab import own_loss, plan
from losslab.lab.errors import LabError

FILE = Path(__file__).parent / "networks.py"


@pytest.mark.parametrize(
    ("given", "label", "gamma"),
    [("MyLoss", "my_loss", 2.0), ("MyLoss:gamma=3", "my_loss:gamma=3", 3.0), ("ready", "MyLoss(gamma=1.5)", 1.5)],
)
def test_a_run_makes_it_again(given, label, gamma):
    [arm] = plan.arms([f"{FILE}:{given}"])
    made = own_loss.get(arm.loss)
    assert (arm.label, made.gamma, type(made).__name__) == (label, gamma, "MyLoss")
    assert made == plan.resolve(f"{FILE}:{given}")
    assert "my_loss" not in losslab.names()


def test_two_of_one_name_are_told_apart(tmp_path):
    paths = [tmp_path / f"{name}.py" for name in "ab"]
    for each in paths:
        each.write_text(FILE.read_text().replace("** self.gamma", f"** self.gamma + {len(each.name)}"))
    arms = plan.arms([f"{each}:MyLoss" for each in paths])
    assert len({arm.label for arm in arms}) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("MyLos", "did you mean MyLoss"),
        ("MyLoss:gama=3", "did you mean 'gamma'"),
        ("MyLoss:gamma=-3", "gamma must be a number > 0"),
        ("ready:gamma=3", "takes no parameters"),
        ("a_function", "is not a losslab.Loss"),
    ],
)
def test_what_is_none_is_refused(given, said):
    with pytest.raises(LabError) as refusal:
        plan.arms([f"{FILE}:{given}"])
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "said"), [("no_such:MyLoss", "cannot import no_such"), ("no.py:MyLoss", "no file no.py")]
)
def test_a_path_to_nothing_is_refused(given, said):
    with pytest.raises(LabError, match=said):
        plan.arms([given])


def test_a_file_that_raises_is_quoted_and_once_corrected_imported(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def f(:")
    with pytest.raises(LabError, match="SyntaxError"):
        plan.arms([f"{path}:MyLoss"])
    path.write_text(FILE.read_text())
    assert plan.arms([f"{path}:MyLoss"])


def test_an_edited_file_is_another_loss(tmp_path):
    path = tmp_path / "mine.py"
    found = []
    for power in (1, 2, 1):
        path.write_text(FILE.read_text().replace("self.gamma, axis", f"{power}, axis"))
        [arm] = plan.arms([f"{path}:MyLoss"])
        found.append((arm.definition, float(own_loss.get(arm.loss)([[1.0, 0.0]], [[0.5, 0.5]]))))
    assert found[0] == found[2]
    assert [value for _, value in found] == [1.0, 0.5, 1.0]
    assert found[0][0] != found[1][0]


def test_a_registered_loss_may_be_edited(tmp_path):
    path = tmp_path / "mine.py"
    for power in (1, 2):
        registered = FILE.read_text().replace("class MyLoss", "@losslab.register\nclass MyLossOfAFile")
        path.write_text(
            registered.replace("MyLoss(gamma", "MyLossOfAFile(gamma").replace("** self", f"** {power} * self")
        )
        assert plan.arms([f"{path}:MyLossOfAFile"])[0].label == "my_loss_of_a_file"


@pytest.mark.parametrize("given", ["huber:delta=2", "focal:gamma=3:alpha=0.5", "mse"])
def test_a_name_of_the_catalogue_is_no_path(given):
    assert own_loss.path_in(given) == ("", "")
    assert own_loss.get(given) == losslab.get(given)
