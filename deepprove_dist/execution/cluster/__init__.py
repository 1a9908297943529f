"""Workers on other machines: Ray starts, places and watches them, sockets carry what they are told."""
