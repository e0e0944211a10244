"""losslab: write a loss once, use it everywhere, know what it does, and see which one your data wants."""

from . import constraints, domains, metrics, regularizers
from ._formula_loss import ElementLoss, RowLoss
from ._function import function_form
from ._linear._class import LinearCrossEntropy
from ._linear._function import linear_cross_entropy
from ._loss import Loss
from ._one_hot import one_hot
from ._param import param
from ._registry import UnknownLossError, UnknownNameError, aliases_of, deserialize, get, names, register, serialize
from ._set_loss import SetLoss
from ._wrapper import LossFunctionWrapper
from .container import LossContainer
from .losses.classification import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from .losses.distribution import (
    KLDivergence,
    Poisson,
    kl_divergence,
    poisson,
)
from .losses.embedding import Circle, circle
from .losses.imbalance import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    sparse_categorical_focal_crossentropy,
)
from .losses.margin import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from .losses.noisy_label import CategoricalGeneralizedCrossEntropy, categorical_generalized_cross_entropy
from .losses.overlap import Dice, SparseCategoricalDice, Tversky, dice, sparse_categorical_dice, tversky
from .losses.regression import (
    AsymmetricCost,
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Quantile,
    asymmetric_cost,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    quantile,
)
from .losses.sequence import CTC, ctc
from .objective import Objective

__version__ = "0.1.0"

__all__ = [
    "CTC",
    "AsymmetricCost",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "ElementLoss",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LinearCrossEntropy",
    "LogCosh",
    "Loss",
    "LossContainer",
    "LossFunctionWrapper",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Objective",
    "Poisson",
    "Quantile",
    "RowLoss",
    "SetLoss",
    "SparseCategoricalCrossentropy",
    "SparseCategoricalDice",
    "SparseCategoricalFocalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "UnknownLossError",
    "UnknownNameError",
    "aliases_of",
    "asymmetric_cost",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "constraints",
    "cosine_similarity",
    "ctc",
    "deserialize",
    "dice",
    "domains",
    "function_form",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "linear_cross_entropy",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "metrics",
    "names",
    "one_hot",
    "param",
    "poisson",
    "quantile",
    "register",
    "regularizers",
    "serialize",
    "sparse_categorical_crossentropy",
    "sparse_categorical_dice",
    "sparse_categorical_focal_crossentropy",
    "squared_hinge",
    "tversky",
]
