"""What `export_ae.py` and `export_motion.py` share: options in, a plan in the model's folder out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pixelfast
from pixelfast.errors import EngineError, PixelfastError
from pixelfast.model import Model
from pixelfast.runtime.tensorrt.build import parse_call_sizes


def run(description: str, method: str, arguments: Sequence[str] | None) -> int:
    """Builds; returns 0, or 1 after a sentence on stderr."""
    options = _parser(description, method).parse_args(arguments)
    try:
        model = Model.load(options.model, plans=False)
        if model.manifest.method != method:
            raise EngineError(f"{options.model} holds a {model.manifest.method} model, not a {method} model")
        path = pixelfast.export(
            model,
            "plan",
            precision=options.precision,
            stride=getattr(options, "stride", 1),
            compute_capability=options.compute_capability,
            call_sizes=options.call_sizes,
        )
    except PixelfastError as error:
        print(error, file=sys.stderr)
        return 1
    facts = Model.load(options.model, plans=False).manifest.plans[path.name]
    built = f"{facts.precision}, {facts.least} to {facts.most} a call, for {facts.compute_capability}"
    print(f"{path}: {built}, by {facts.flavour} {facts.version}")
    return 0


def _parser(description: str, method: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--compute-capability", help="of the GPU it is for, such as 8.6; without it this machine's")
    parser.add_argument("--call-sizes", type=call_sizes, help="frames a call, at least, best and at most: 16,128,128")
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "bf16"),
        default="fp32",
        help="of weights and activations; less than fp32 is first compared with it on the training footage",
    )
    if method == "reconstruction":
        parser.add_argument("--stride", type=int, default=1, help="frames between the starts of windows")
    return parser


def call_sizes(text: str) -> tuple[int, int, int]:
    """`parse_call_sizes` for argparse, which shows the sentence of its own error only."""
    try:
        return parse_call_sizes(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
