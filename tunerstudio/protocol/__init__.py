"""Messages between processes; pydantic only."""
