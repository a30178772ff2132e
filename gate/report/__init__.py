"""A decision for readers: text for terminals and logs, markdown for reviews. No arithmetic of its own."""
