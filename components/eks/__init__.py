"""What every new cluster needs before it can serve."""
