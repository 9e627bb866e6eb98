"""The command that writes a study as Python."""

from __future__ import annotations

import argparse
from pathlib import Path

from tunerstudio.cli.output import Output
from tunerstudio.engine.exporting import export_study


def export(options: argparse.Namespace, output: Output) -> int:
    """Write the study as a HyperModel with its search, a training script of one trial, or a notebook."""
    folder: Path = options.study
    written = export_study(folder, options.kind, options.to, options.trial, output.note)
    files = [str(path) for path in written.files]
    output.result({"files": files, "trial": written.trial})
    what = "" if written.trial is None else f" for trial {written.trial}"
    output.say(f"Written{what}: {', '.join(files)}")
    to = written.files[0]
    if to.suffix == ".py":
        output.say(f"Run it with: python {to.name}  (in {to.parent}; needs TensorFlow and Keras Tuner only)")
    return 0
