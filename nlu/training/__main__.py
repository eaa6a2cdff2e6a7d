"""Train the shipped models: ``python -m nlu.training --data FOLDER [--out nlu/models] [MODEL ...]``."""

import argparse
import importlib
import pkgutil
from pathlib import Path

from nlu import training
from nlu.models import FOLDER


def model_names() -> list[str]:
    """The models there are: every module of this package that has a ``train``."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(training.__path__)
        if not module.name.startswith("_") and hasattr(importlib.import_module(f"nlu.training.{module.name}"), "train")
    )


def main() -> None:
    """Read the arguments and train what they name, everything by default."""
    parser = argparse.ArgumentParser(prog="python -m nlu.training", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{', '.join(model_names())}; all by default")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets (JSON lines)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the ONNX files go")
    parser.add_argument("--seed", type=int, default=20261121)
    arguments = parser.parse_args()
    unknown = set(arguments.models) - set(model_names())
    if unknown:
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    for name in arguments.models or model_names():
        importlib.import_module(f"nlu.training.{name}").train(arguments.data, arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
