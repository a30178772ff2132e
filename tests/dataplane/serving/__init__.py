"""A stack of this project, deployed by `pulumi up` onto a process node, and what clients get of it.

Real: the Pulumi engine and provider, API server, scheduler and controllers, Envoy, the rate-limit
service, Redis, vllm-router, vLLM (CPU build, a tiny model), Prometheus, the OpenTelemetry collector
and KEDA. Standing in: the node (pods are processes, see process_node), the hosted API, and a receiver
of spans for Langfuse.
"""
