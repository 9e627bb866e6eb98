"""The study document and its words. Every other room speaks in these types; imports pydantic and YAML only."""
