"""The AWS account of a stack: network, cluster, nodes, balancer, weights."""
