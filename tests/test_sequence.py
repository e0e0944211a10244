"""CTC: lengths, padding, frames that do not exist, sequences without room."""

import numpy as np
import pytest

import losslab
from losslab.testing import Case, close

RNG = np.random.default_rng(0)
FRAMES = RNG.normal(size=(3, 7, 4)).round(3)
LABELS = np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0]])
LABEL_LENGTH, LOGIT_LENGTH = np.array([3, 2, 1]), np.array([7, 4, 2])


def trimmed():
    """Each sample on its own, cut to its lengths: what lengths and masks must give."""
    return np.array(
        [
            losslab.ctc(LABELS[i : i + 1, :n], FRAMES[i : i + 1, :t])[0]
            for i, (n, t) in enumerate(zip(LABEL_LENGTH, LOGIT_LENGTH, strict=True))
        ]
    )


def test_lengths_cut_labels_and_frames(framework, dtype):
    case = Case(losslab.CTC(reduction="none"), framework, dtype)
    frames, padded = FRAMES.copy(), np.where(np.arange(3) < LABEL_LENGTH[:, None], LABELS, -5)
    exists = np.arange(7) < LOGIT_LENGTH[:, None]
    frames[~exists] = np.nan
    y, p = case.arrays(padded, frames)
    lengths = case.arrays(LABEL_LENGTH, LOGIT_LENGTH)
    tolerance = {"float32": 2e-6, "float64": 1e-12}[dtype]
    values = case.loss(y, p, label_length=lengths[0], logit_length=lengths[1])
    close(framework.numpy(values), trimmed(), tolerance, "lengths")
    function = losslab.ctc(y, p, label_length=lengths[0], logit_length=lengths[1])
    close(framework.numpy(function), trimmed(), tolerance, "function form")
    masked = case.loss(y, p, label_length=lengths[0], mask=case.arrays(exists)[0])
    close(framework.numpy(masked), trimmed(), tolerance, "mask of frames")
    if framework.differentiates:
        total = losslab.CTC(reduction="sum")
        call = lambda x: total(y, x, label_length=lengths[0], logit_length=lengths[1])  # noqa: E731
        gradient = framework.gradient(call, p)
        assert np.isfinite(gradient).all()
        assert not gradient[~exists].any()


def test_a_sequence_without_room_is_inf_and_leaves_the_others_alone(framework):
    """2 2 needs three frames: with two its probability is 0."""
    case = Case(losslab.CTC(reduction="none"), framework, "float64")
    y, p = np.array([[2, 2], [2, 1]]), FRAMES[:2, :2]
    values = case.value(y, p)
    assert values[0] == np.inf
    assert np.isfinite(values[1])
    if framework.differentiates:
        gradient = case.changed(reduction="sum").gradient(y, p)
        assert not gradient[0].any()
        assert gradient[1].any()


def test_a_certain_alignment_costs_nothing_less():
    frames = np.full((1, 5, 4), -50.0)
    frames[0, np.arange(5), [1, 0, 2, 2, 3]] = 50.0
    value = losslab.ctc([[1, 2, 3]], frames)[0]
    assert 0 <= value < 1e-12


def test_no_labels_is_all_blanks():
    frames = FRAMES[:1]
    blank = frames[..., 0] - np.log(np.exp(frames).sum(-1))
    assert losslab.ctc([[0, 0]], frames)[0] == pytest.approx(-blank.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: losslab.ctc([1, 2], FRAMES), r"y_true must be \(N, L\) class ids and y_pred \(N, T, C\) logits"),
        (lambda: losslab.ctc(LABELS[:2], FRAMES), r"got \(2, 3\) and \(3, 7, 4\)"),
        (lambda: losslab.ctc(LABELS + 2, FRAMES), "label 4 within the length of its sequence"),
        (lambda: losslab.ctc([[1, 0, 2]], FRAMES[:1]), "label 0 .* the blank 0; pad at the end, or give label_length"),
        (lambda: losslab.ctc(LABELS, FRAMES, blank=4), "the blank 4 is none of the 4 classes"),
        (lambda: losslab.ctc(LABELS, FRAMES, label_length=[1, 2]), r"label_length has shape \(2,\)"),
        (lambda: losslab.ctc(LABELS, FRAMES, label_length=[1, 2, 4]), "label_length 4 is no length .* with 3 places"),
        (lambda: losslab.ctc(LABELS, FRAMES, logit_length=[7, 8, 2]), "logit_length 8 is no length .* with 7 places"),
        (lambda: losslab.ctc(LABELS, FRAMES, logit_length=[7, -1, 2]), "logit_length -1 is no length"),
    ],
)
def test_bad_sequences_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_misspelt_length_is_said():
    with pytest.raises(TypeError, match=r"ctc\(\) has no parameter 'label_lenght': did you mean 'label_length'\?"):
        losslab.ctc(LABELS, FRAMES, label_lenght=[1, 2, 3])


def test_a_wrong_label_is_nan_while_tracing():
    jax = pytest.importorskip("jax", reason="jax is not installed")
    values = jax.jit(losslab.ctc)(np.array([[1, 0, 2], [1, 2, 0], [4, 0, 0]]), FRAMES)
    assert np.isnan(values).tolist() == [True, False, True]
