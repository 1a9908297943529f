"""Integer operators, one file each."""
