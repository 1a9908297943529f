"""The verifying key: its content, its file, and what follows from it for a number of samples."""
