"""The Qt-free driver of a search: session, scheduler, executors, service."""
