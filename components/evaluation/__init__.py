"""The evaluation gate: a Job that a model must pass before the gateway's configuration changes."""
