"""The data service: the window asks it to look at data, so that the window itself never reads a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd  # noqa: F401  # Arrow imports it at its first conversion: better now than at the first question
from pydantic import ValidationError

from tunerstudio.data.inspect import inspect
from tunerstudio.protocol.loop import Channel, Handler, Reporter, claim_stdout, serve
from tunerstudio.study.data import Data
from tunerstudio.study.errors import Problem, StudyError, problems_from


def handlers() -> dict[str, Handler]:
    """The methods: `ping` {} -> {}; `inspect` {data, folder} -> {preview}."""
    return {"ping": _ping, "inspect": _inspect}


def _ping(params: dict[str, Any], report: Reporter) -> dict[str, Any]:
    return {}


def _inspect(params: dict[str, Any], report: Reporter) -> dict[str, Any]:
    content = params.get("data")
    if content is None:
        raise StudyError([Problem("data", "this field is required")])
    try:
        data = Data.model_validate(content)
    except ValidationError as error:
        raise StudyError(_of_data(problems_from(error, content, Data.model_fields))) from error
    preview = inspect(data, Path(str(params.get("folder", "."))), report)
    return {"preview": preview.model_dump(mode="json")}


def _of_data(problems: list[Problem]) -> list[Problem]:
    """The same with fields as they are called in the study document."""
    return [Problem(f"data.{problem.field}".rstrip("."), problem.message) for problem in problems]


def main() -> int:
    """Serve on standard input and output until standard input closes."""
    channel = Channel(claim_stdout())
    serve(handlers(), channel, sys.stdin.buffer)
    return 0
