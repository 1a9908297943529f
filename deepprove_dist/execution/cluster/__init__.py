"""Workers on other machines: Ray starts, places and watches them; sockets carry the messages."""
