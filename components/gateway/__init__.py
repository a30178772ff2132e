"""The gateway: Envoy in front of the routers, its rate-limit service and their counters."""
