"""Limits of a trial, checkpoints, and where trials run: the card Advanced, folded away as a whole."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from tunerstudio.gui.search_form.budget_settings import S_PER_MIN
from tunerstudio.gui.search_form.settings import Setting, info, setting_at
from tunerstudio.study.search import Checkpoints, Executor


def advanced_settings() -> list[Setting]:
    """What most studies leave as it is."""
    return [*_limits(), *_checkpoints(), *_executor()]


def _limits() -> list[Setting]:
    beyond = _tr("A trial that goes beyond it has failed, with that cause; the search goes on. Empty: no limit.")
    memory = info(
        "memory_gb", "float", f"{_tr('Memory of a trial.')} {beyond}", minimum=0.001, optional=True, basic=False
    )
    time = info(
        "trial_time", "float", f"{_tr('Training time of a trial.')} {beyond}", minimum=0.0, optional=True, basic=False
    )
    stuck = info(
        "no_progress",
        "float",
        f"{_tr('Time without a finished epoch or batch.')} {beyond}",
        minimum=0.0,
        optional=True,
        basic=False,
    )
    minutes = _tr("min")
    return [
        setting_at("search.limits.memory_gb", memory, _tr("memory per trial"), "GB"),
        setting_at("search.limits.time_limit_s", time, _tr("time per trial"), minutes, S_PER_MIN),
        setting_at("search.limits.no_progress_s", stuck, _tr("no progress for"), minutes, S_PER_MIN),
    ]


def _checkpoints() -> list[Setting]:
    every = info(
        "every_s",
        "float",
        _tr("Least training between two checkpoints of a running trial; what a crash costs at most."),
        minimum=0.0,
        basic=False,
        optional=True,
        default=Checkpoints().every_s,
    )
    keep = info(
        "keep_top",
        "int",
        _tr("Weights of so many best trials stay on the disk; a promotion keeps what it needs besides."),
        minimum=1,
        basic=False,
        optional=True,
        default=Checkpoints().keep_top,
    )
    defaults = Checkpoints()
    return [
        setting_at("search.checkpoints.every_s", every, _tr("checkpoint every"), "s", empty=defaults.every_s),
        setting_at("search.checkpoints.keep_top", keep, _tr("keep weights of"), _tr("trials"), empty=defaults.keep_top),
    ]


def _executor() -> list[Setting]:
    defaults = Executor()
    kind = info(
        "kind",
        "choice",
        _tr("local: processes of this machine. ray: tasks on a Ray cluster, for more than one machine."),
        optional=True,
        basic=False,
        default=defaults.kind,
        choices=("local", "ray"),
    )
    address = info("address", "text", _tr("Of a Ray cluster; empty: one on this machine."), optional=True, basic=False)
    cpus = info(
        "cpus_per_trial",
        "float",
        _tr("Ray: processors that a trial asks for."),
        minimum=0.001,
        optional=True,
        basic=False,
        default=defaults.cpus_per_trial,
    )
    gpus = info(
        "gpus_per_trial",
        "float",
        _tr("Ray: GPUs that a trial asks for; a part of one is possible."),
        minimum=0.0,
        optional=True,
        basic=False,
        default=defaults.gpus_per_trial,
    )
    return [
        setting_at("search.executor.kind", kind, _tr("trials run on"), empty=defaults.kind),
        setting_at("search.executor.address", address, _tr("Ray address")),
        setting_at("search.executor.cpus_per_trial", cpus, _tr("CPUs per trial"), empty=defaults.cpus_per_trial),
        setting_at("search.executor.gpus_per_trial", gpus, _tr("GPUs per trial"), empty=defaults.gpus_per_trial),
    ]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Settings", text)
