"""A Ray cluster of several nodes on this machine's loopback, run as a process of its own.

Each line on stdin is a command, and each is answered by one line: `add NAME CPUS`, `kill NAME`. The end of stdin ends
it. Ray's processes end with this one, however it ends.
"""

import os
import sys

HEALTH = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}


def main() -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Otherwise Ray replaces 127.0.0.1 by an address that the network can reach.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_enable_worker_prestart"] = "0"  # noqa: SIM112  # Ray's own spelling
    os.environ["RAY_prestart_worker_first_driver"] = "0"  # noqa: SIM112
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what Ray prints is no answer
    from ray.cluster_utils import Cluster

    common = {"node_ip_address": "127.0.0.1", "object_store_memory": 100_000_000, "include_dashboard": False}
    caches = os.environ["TUNERSTUDIO_NODE_CACHE"]

    def node(name, cpus):
        return {
            **common,
            "node_name": name,
            "num_cpus": cpus,
            "env_vars": {"TUNERSTUDIO_NODE_CACHE": f"{caches}/{name}"},
        }

    head = {**node("head", int(sys.argv[1])), "_system_config": HEALTH}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = {"head": cluster.head_node}
    print(cluster.address, file=answers)
    try:
        for line in sys.stdin:
            verb, name, *rest = line.split()
            if verb == "add":
                nodes[name] = cluster.add_node(**node(name, int(rest[0])))
            else:
                cluster.remove_node(nodes.pop(name), allow_graceful=False)
            print("done", file=answers)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
