"""study.db: schema, the single writer, readers."""
