"""Go: rules, engine, environments, records and protocol."""
