"""Search algorithms: the façade that plugins import, manifests, discovery and the host that guards them."""
