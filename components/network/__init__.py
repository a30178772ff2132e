"""Who may talk to whom: one table, and the NetworkPolicies that say it to the cluster."""
