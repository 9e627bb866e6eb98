"""The driver of a cluster: a process beside the engine that speaks Ray, so that the engine need not.

Ray ends the process that uses it when the head of the cluster is lost, and takes over its signal handlers: neither
may happen to the engine, which writes the history. The engine sends it one pipe for each worker.
"""

from __future__ import annotations

import ipaddress
import logging
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from tunerstudio.engine.executors.ray_files import own_folder
from tunerstudio.engine.executors.ray_messages import Settings

KNOCK_LIMIT_S = 5.0
"""How long the head of a cluster may take to accept a connection."""

RELAY_LIMIT_S = 4.0
"""How long workers may take to end when the pool is closed; Ray ends those that take longer."""

LEAVE_LIMIT_S = 15.0
"""How long leaving the cluster may take when the engine has died."""

TICK_S = 0.5
"""How often the driver looks after its places."""

_FOLDER = "tunerstudio-ray-"
"""Of a Ray that is started here: its sockets and logs."""


def drive(control: Connection, settings: Settings) -> None:
    """Body of the driver process.

    Args:
        control: From the engine come (number, connection) for each worker it wants; its end ends the driver. To the
            engine go ("open", room), ("failed", reason), ("note", level, text), ("waiting", workers) and
            ("room", workers).
        settings: How to reach the cluster.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _redirect_output(Path(settings.log_folder) / "ray-driver.log")
    _guard_against_orphanhood()
    _set_environment(settings.address)
    folder = own_folder(_FOLDER) if settings.address is None else None
    try:
        try:
            _connect(settings.address, folder)
        except Exception as error:  # noqa: BLE001  # Ray raises all kinds; the sentence goes to the user
            control.send(("failed", _first_line(error)))
            return
        _serve(control, settings)
    finally:
        import ray

        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _serve(control: Connection, settings: Settings) -> None:
    from tunerstudio.engine.executors.ray_places import Places
    from tunerstudio.engine.executors.ray_relay import Relay

    guard = threading.Lock()

    def tell(*message: object) -> None:
        with guard:
            control.send(message)

    places = Places(settings, lambda level, text: tell("note", level, text))
    room = places.room()
    tell("open", room)
    told: dict[str, int] = {"room": room, "waiting": 0}
    relays: list[Relay] = []
    while True:
        try:
            for kind, count in (("room", places.room()), ("waiting", places.waiting)):
                if told[kind] != count:
                    told[kind] = count
                    tell(kind, count)
            if control.poll(TICK_S):
                relays = [relay for relay in relays if not relay.join(0.0)]
                number, connection = control.recv()
                relays.append(Relay(number, connection, places, settings))
                relays[-1].start()
            places.tend()
        except (EOFError, OSError):
            break  # the engine has closed the pool
    deadline = time.monotonic() + RELAY_LIMIT_S
    for relay in relays:
        relay.close()
    for relay in relays:
        relay.join(max(0.0, deadline - time.monotonic()))
    places.close()


def _connect(address: str | None, folder: Path | None) -> None:
    """Join the cluster, or start one that keeps its files in `folder`."""
    import ray

    if address is None:
        ray.init(
            address="local",
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folder),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    else:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)


def _knock(address: str) -> None:
    """OSError if nobody listens at `address`, which Ray would find out after a minute or more."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or "/" in address:
        return  # "auto", or something that Ray knows better than we do
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_LIMIT_S).close()
    except OSError as error:
        raise OSError(f"nothing answers there ({error}); is `ray start --head` running on that machine?") from error


def _set_environment(address: str | None) -> None:
    """Settings that Ray takes from the environment alone, before it is imported."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        # Other users of this machine could otherwise run code in our name.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        # Processes that wait for tasks we never send.
        os.environ["RAY_enable_worker_prestart"] = "0"  # noqa: SIM112  # Ray's own spelling
        os.environ["RAY_prestart_worker_first_driver"] = "0"  # noqa: SIM112
    if address is None or _is_loopback(address):
        # Otherwise Ray replaces 127.0.0.1 by an address that the network can reach.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def _redirect_output(path: Path) -> None:
    """Send what Ray prints to a log: the engine's own output may be a conversation with the window."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _is_loopback(address: str) -> bool:
    host = address.rsplit(":", 1)[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _guard_against_orphanhood() -> None:
    """End with the engine, also while Ray is being started or cannot be left."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        # The main thread sees the end of its pipe and leaves the cluster; what it does not end, the system does.
        time.sleep(LEAVE_LIMIT_S)
        os._exit(0)

    threading.Thread(target=wait, name="parent guard", daemon=True).start()
