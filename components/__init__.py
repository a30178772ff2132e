"""What is deployed: one component a file, thin, with the pure resolvers beside them."""
