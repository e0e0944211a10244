"""Who may know whom: the imports of every module of the package, read from its source."""

import ast
import pathlib

import losslab

ROOT = pathlib.Path(losslab.__file__).parent
FRAMEWORKS = {
    "torch",
    "jax",
    "tensorflow",
    "keras",
    "sklearn",
    "xgboost",
    "lightgbm",
    "catboost",
    "triton",
    "quack",
    "distributed",
    "ray",
    "tensorboard",
    "mlflow",
}

# Module or folder -> the modules of the package that it may import
MAY_IMPORT = {
    "_domain": set(),
    "_ops": {"_ops"},
    "_frozen": set(),
    "_param": {"_frozen"},
    "_declared": {"_param"},
    "_registry": {"_param"},
    "_named": {"_declared", "_param", "_registry"},
    "_align": {"_ops"},
    "_reduce": {"_ops"},
    "_loss": {"_align", "_named", "_domain", "_fast", "_ops", "_param", "_reduce", "_registry", "keras"},
    # drivers of whole losses, most of them imported by `_loss` when the first array of a framework arrives
    "_fast": {
        "_align",
        "_domain",
        "_formula_loss",
        "_frozen",
        "_linear",
        "_loss",
        "_ops",
        "_reduce",
        "_set_loss",
        "losses",
    },
    "_formula_loss": {"_align", "_loss", "_ops"},
    "_set_loss": {"_align", "_loss", "_ops", "_param"},
    "_wrapper": {"_domain", "_loss", "_param", "_registry"},
    "_document": {"_domain", "_param"},
    "_function": {"_document", "_loss", "_ops", "_param", "_registry"},
    "_one_hot": {"_ops"},
    "domains": {"_domain"},
    "losses": {
        "_align",
        "_domain",
        "_formula_loss",
        "_function",
        "_loss",
        "_ops",
        "_param",
        "_registry",
        "_set_loss",
        "losses",
    },
    "metrics": {
        "_align",
        "_domain",
        "_formula_loss",
        "_loss",
        "_named",
        "_ops",
        "_param",
        "_registry",
        "_wrapper",
        "keras",
        "metrics",
    },
    "_weight_function": {"_declared", "_ops"},
    "regularizers": {"_ops", "_param", "_registry", "_weight_function"},
    "_tree": {"_ops"},
    "constraints": {"_ops", "_param", "_registry", "_tree", "_weight_function"},
    "_structure": set(),
    "container": {"_frozen", "_declared", "_loss", "_ops", "_registry", "_structure", "_wrapper"},
    "objective": {"_frozen", "_declared", "_ops", "_tree", "container", "regularizers"},
    "_linear": {"_align", "_named", "_ops", "_param", "_reduce", "losses"},
    "torch": {""},
    "parallel": {"_linear", "_ops", "_param", "_reduce"},
    "testing": {"", "_domain", "_formula_loss", "_loss", "_registry", "_set_loss"},
    "keras": {"", "keras"},
    "lab": {"", "_registry", "lab"},
    "cli": {"", "lab"},
    "__main__": {"cli"},
}

# Module or folder -> the frameworks that it may import; none elsewhere
MAY_USE = {
    "_ops/_torch": {"torch"},
    "_ops/_jax": {"jax"},
    "_ops/_tensorflow": {"tensorflow"},
    "_linear/_torch_quack": {"torch", "quack"},
    "_linear/_torch": {"torch"},
    "_linear/_jax": {"jax"},
    "_linear/_rows": {"torch"},
    "_linear/_triton_rows": {"torch", "triton"},
    "_fast/_torch": {"torch"},
    "_fast/_jax": {"jax"},
    "_fast/_tensorflow": {"tensorflow"},
    "torch": {"torch"},
    "parallel/_torch": {"torch"},
    "parallel/_dtensor": {"torch"},
    "parallel/_jax": {"jax"},
    "testing/_frameworks": {"torch", "jax", "tensorflow"},
    "testing/_case": {"tensorflow"},
    "keras/_distribution": {"keras", "tensorflow"},
    "keras": {"keras"},
    "lab/engines/torch": {"torch"},
    "lab/models/torch": {"torch"},
    "lab/rehearsal": {"jax", "tensorflow", "torch"},
    "lab/executors/dask": {"distributed"},
    "lab/executors/ray": {"ray"},
    "lab/executors/remote": {"distributed"},
    "lab/sinks/tensorboard": {"tensorboard"},
    "lab/sinks/mlflow": {"mlflow"},
    "lab": {"jax", "keras", "sklearn"},
}


def modules():
    return [path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py")]


def imports(module):
    """Dotted names that a module imports, those of the package relative to its root ("" is the package itself)."""
    tree = ast.parse((ROOT / module).with_suffix(".py").read_text())
    place = module.parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
        elif isinstance(node, ast.ImportFrom):
            base = place[: len(place) - node.level + 1]
            if node.module:
                yield "losslab." + ".".join((*base, node.module))
            else:
                yield from ("losslab." + ".".join((*base, alias.name)) for alias in node.names)


def test_the_package_is_layered():
    wrong = []
    for module in modules():
        if module == pathlib.Path("__init__"):
            continue
        allowed = MAY_IMPORT[module.parts[0]]
        for name in imports(module):
            if name == "losslab" or name.startswith("losslab."):
                target = name.removeprefix("losslab").lstrip(".").partition(".")[0]
                if target not in allowed and target != module.parts[0]:
                    wrong.append(f"{module} imports {name}")
    assert not wrong


def test_frameworks_stay_in_their_files():
    wrong = []
    for module in modules():
        allowed = next((names for place, names in MAY_USE.items() if str(module).startswith(place)), set())
        used = {name.partition(".")[0] for name in imports(module)} & FRAMEWORKS
        wrong += [f"{module} imports {name}" for name in used - allowed]
    assert not wrong


def test_losses_import_no_array_library():
    for module in modules():
        if module.parts[0] == "losses":
            assert not {name.partition(".")[0] for name in imports(module)} & (FRAMEWORKS | {"numpy", "scipy"})


def test_the_rules_name_what_exists():
    assert set(MAY_IMPORT) == {module.parts[0] for module in modules()} - {"__init__"}
