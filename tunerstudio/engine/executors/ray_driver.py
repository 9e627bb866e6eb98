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
import signal
import threading
from multiprocessing.connection import Connection

from tunerstudio.engine.executors.ray_messages import Settings

TICK_S = 0.5
"""How often the driver looks after its places."""


def drive(control: Connection, settings: Settings) -> None:
    """Body of the driver process.

    Args:
        control: From the engine come (number, connection) for each worker it wants; its end ends the driver. To the
            engine go ("open", address), ("failed", reason), ("note", level, text), ("waiting", workers) and
            ("room", workers).
        settings: How to reach the cluster.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _guard_against_orphanhood()
    _set_environment(settings.address)
    try:
        address = _connect(settings.address)
    except Exception as error:  # noqa: BLE001  # Ray raises all kinds; the sentence goes to the user
        control.send(("failed", _first_line(error)))
        return
    try:
        control.send(("open", address))
        _serve(control, settings)
    finally:
        import ray

        ray.shutdown()


def _serve(control: Connection, settings: Settings) -> None:
    from tunerstudio.engine.executors.ray_places import Places
    from tunerstudio.engine.executors.ray_relay import Relay

    guard = threading.Lock()

    def tell(*message: object) -> None:
        with guard:
            control.send(message)

    places = Places(settings, lambda level, text: tell("note", level, text))
    told: dict[str, int] = {}
    while True:
        try:
            for kind, count in (("room", places.room()), ("waiting", places.waiting)):
                if told.get(kind) != count:
                    told[kind] = count
                    tell(kind, count)
            if control.poll(TICK_S):
                number, connection = control.recv()
                Relay(number, connection, places, settings).start()
            places.tend()
        except (EOFError, OSError):
            return  # the engine has closed the pool


def _connect(address: str | None) -> str:
    """Join the cluster, or start one; its address."""
    import ray

    if address is None:
        context = ray.init(
            address="local",
            _node_ip_address="127.0.0.1",
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    else:
        context = ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    return str(context.address_info["gcs_address"])


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
    """End with the engine, also while Ray is being started."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=wait, name="parent guard", daemon=True).start()
