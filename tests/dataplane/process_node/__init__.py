"""A process node: a small kubelet that runs the pods bound to it as processes of this machine.

Under a real API server it makes real what kwok plays: programs start, probes ask them, Service
names lead to them, and they are told to stop as Kubernetes tells them. Each pod has a network
namespace on a bridge; each container has process and mount namespaces and a root of its own over
this machine's, so that nothing it writes reaches the machine. No image is ever pulled: a table of
the caller says which programs stand for which image.

Whatever of a manifest cannot be honoured is listed in `ProcessNode.left_out`. What holds for every
pod is not repeated there: back-off starts at 1 s and not at 10 s; mounted ConfigMaps and Secrets
are not followed when they change; termination messages are not read; a container sees this machine's files, read from below its own.
"""
