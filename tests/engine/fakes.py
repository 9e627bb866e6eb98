"""A pool whose workers train nothing: they play a script. For what the session decides, not for what workers do."""

import multiprocessing
import socket
import time

from tunerstudio.engine.basis import check_basis
from tunerstudio.engine.control import SessionControl
from tunerstudio.engine.crew import Recycling
from tunerstudio.engine.executors.local import WorkerDiedError
from tunerstudio.engine.journal import Journal, open_session
from tunerstudio.engine.letters import Letterbox
from tunerstudio.engine.preparation import PreparedStudy, _algorithm, prepare_data, study_key
from tunerstudio.engine.results import SessionListener
from tunerstudio.engine.scheduling import make_host
from tunerstudio.engine.session import Session, SessionParts
from tunerstudio.protocol.worker import (
    EpochEnded,
    ExecutionEnded,
    ExecutionResumed,
    OpenStudy,
    ResourcesUsed,
    RunTrial,
    StopTrial,
    StudyOpened,
    TrialBuilt,
    TrialEnded,
    WorkerReady,
    decode_report,
    encode,
)
from tunerstudio.store.reader import StudyReader
from tunerstudio.store.writer import StudyWriter
from tunerstudio.study.files import load_document
from tunerstudio.study.network import search_space
from tunerstudio.study.search import Budget
from tunerstudio.study.trials import SessionState

DIES = "dies"
"""A script's word for the end of the worker."""


def epoch(command, number, value, execution=0):
    """A report of an epoch."""
    metrics = {"val_accuracy": value, "loss": 1.0 - value}
    return EpochEnded(trial=command.trial, execution=execution, epoch=number, metrics=metrics, at=time.time())


def ended(command, outcome="completed", message=""):
    """The last report of a trial."""
    return TrialEnded(trial=command.trial, outcome=outcome, message=message)


def scored(command, value, execution=0, epochs=1):
    """The report of an execution that came to its end."""
    return ExecutionEnded(
        trial=command.trial, execution=execution, score=value, best_epoch=1, epochs=epochs, metrics={}
    )


def resumed(command, values, execution=0):
    """The report of an execution that goes on after epochs with these values."""
    history = tuple(epoch(command, number, value, execution) for number, value in enumerate(values, start=1))
    return ExecutionResumed(trial=command.trial, execution=execution, epoch=len(values), history=history)


def used(command, rss_bytes=1, progress=0):
    """A heartbeat."""
    return ResourcesUsed(trial=command.trial, at=time.time(), rss_bytes=rss_bytes, cpu_percent=50, progress=progress)


def at_once(command, value=None):
    """A script of a trial that is trained in a moment; its score grows with its number."""
    value = command.trial / 100 if value is None else value
    yield TrialBuilt(trial=command.trial, parameters=10, road="fused")
    yield epoch(command, 1, value)
    yield scored(command, value)
    yield ended(command)


def for_ever(command):
    """A script of a trial that goes on until it is stopped."""
    yield epoch(command, 1, 0.5)


class FakeWorker:
    """Plays a script for each trial, and stops when it is told to."""

    def __init__(self, number, script, obeys=True):
        self.number = number
        self.connection, self._own_end = multiprocessing.Pipe()
        self.ready = WorkerReady(pid=1, device="CPU (fake)", versions={})
        self.study_key = None
        self.node = f"not {socket.gethostname()}"
        self.pid = 1
        self.is_alive = True
        self.trials = []
        self.script, self.obeys = script, obeys

    def send(self, command):
        if not self.is_alive:
            raise WorkerDiedError("the worker process is gone")
        if isinstance(command, RunTrial):
            self.trials.append(command)
            for report in self.script(command):
                if report is DIES:
                    self.die()
                    return
                self._own_end.send_bytes(encode(report))
        elif isinstance(command, StopTrial) and self.obeys:
            self._own_end.send_bytes(encode(TrialEnded(trial=command.trial, outcome="stopped")))

    def die(self):
        self.is_alive = False
        self._own_end.close()

    def receive(self):
        try:
            return decode_report(self.connection.recv_bytes())
        except EOFError as error:
            raise WorkerDiedError("the worker process ended by itself with exit code 9") from error

    def ask(self, command):
        assert isinstance(command, OpenStudy)
        return StudyOpened()

    def wait_ready(self):
        return self.ready

    def log_tail(self, characters=4000):
        return "its last words"


class FakePool:
    """Hands out fake workers and remembers them all."""

    def __init__(self, script=at_once, obeys=True, before=lambda number: None):
        self.script, self.obeys, self._before = script, obeys, before
        self.workers, self.idle, self.discarded = [], [], []

    def warm_up(self, count=1):
        pass

    def acquire(self, fresh=False):
        if self.idle:
            return self.idle.pop()
        self._before(len(self.workers) + 1)
        worker = FakeWorker(len(self.workers) + 1, self.script, self.obeys)
        self.workers.append(worker)
        return worker

    def release(self, worker):
        self.idle.append(worker)

    def discard(self, worker):
        worker.is_alive = False
        self.discarded.append(worker)

    def tend(self):
        return []

    def close(self):
        pass

    @property
    def commands(self):
        """All trials that were started, in order of number and start."""
        return [command for worker in self.workers for command in worker.trials]


def prepared(folder):
    """A study that was checked, without a worker."""
    document = load_document(folder)
    data = prepare_data(document, folder)
    manifest, options = _algorithm(document, [])
    key = study_key(folder, document, data)
    return PreparedStudy(folder, document, data, manifest, options, search_space(document), key, None, [])


class Play:
    """Runs sessions with fake workers."""

    def __init__(self, folder):
        self.folder = folder
        self.control = None
        self.states = []
        self.on_session = {}
        self.on_trial = lambda trial: None
        self.on_log = lambda text: None

    def __call__(self, pool, target=None, is_interactive=False, recycling=None, writer=StudyWriter, host=None):
        self.control = SessionControl()
        study = prepared(self.folder)
        try:
            with writer(self.folder) as store:
                store.requeue_interrupted()
                listener = SessionListener(
                    on_trial=lambda trial: self.on_trial(trial),
                    on_log=lambda level, text: self.on_log(text),
                    on_session=lambda record: self._take(record),
                )
                journal = Journal(store, listener, open_session(store, 1, "local"))
                started_at = time.time()
                letters = Letterbox(self.folder, journal, self.control, started_at)
                most = max(study.document.search.budget.trials, target or 0)
                host = host or make_host(study, most, journal.algorithm_state(), journal.in_order())
                check_basis(store, study)
                parts = SessionParts(
                    study,
                    host,
                    journal,
                    pool,
                    self.control,
                    letters,
                    lambda: prepared(self.folder),
                    started_at,
                    target,
                    is_interactive,
                    recycling or Recycling(),
                )
                result = Session(parts).run()
                letters.close()
                journal.session(SessionState.ENDED, result.reason, result.message)
                return result
        finally:
            self.control.close()

    def _take(self, record):
        self.states.append(record.state)
        react = self.on_session.pop(record.state, None)
        if react is not None:
            react()

    def read(self, ask):
        with StudyReader(self.folder) as reader:
            return ask(reader)

    @property
    def trials(self):
        return self.read(lambda reader: reader.trials())


def budget(**fields):
    """A budget."""
    return Budget(**fields)
