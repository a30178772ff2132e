"""Whether a stack should be deployed: pure Python that never imports Pulumi (`python -m gate`)."""
