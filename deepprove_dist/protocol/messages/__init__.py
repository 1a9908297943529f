"""What is sent: the statement and the proof, as values and as bytes, and what a rejection says."""
