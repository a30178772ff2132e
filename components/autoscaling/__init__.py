"""Replicas that follow the requests: what one serves, and the KEDA object that keeps to it."""
