"""What keeps the checkout in order: run by `make lint`."""
