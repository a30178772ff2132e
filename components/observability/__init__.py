"""Metrics, alerts, a dashboard, and traces with their cost: pure descriptions and one component."""
