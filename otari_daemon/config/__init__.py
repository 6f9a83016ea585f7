"""YAML, environment and command line in; one frozen `schema.Config` out, or every problem at once."""
