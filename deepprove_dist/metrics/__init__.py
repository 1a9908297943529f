"""What operators watch: which metrics there are, and where they go."""
