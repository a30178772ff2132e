"""Weights in the stack's own bucket: filled or checked by a Job before an engine reads them."""
