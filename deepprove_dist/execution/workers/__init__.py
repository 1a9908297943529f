"""The side of the workers: a process, the ranks in it, and what they publish for other ranks."""
