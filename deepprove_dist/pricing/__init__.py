"""What a proof would take, before it is made: in one process, and by workers."""
