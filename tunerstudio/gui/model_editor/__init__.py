"""The editor of the model: blocks, fields and their ranges, code and estimators."""
