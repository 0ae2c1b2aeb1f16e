"""The order of the stages: decode, clean, engine, aggregate, raw parts, the global pass. Only this package knows it."""
