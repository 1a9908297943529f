"""Messages between processes over TCP."""
