"""What the coordinator and its workers say to each other: requests, answers, and methods with their types."""
