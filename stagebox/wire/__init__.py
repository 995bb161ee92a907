"""The wire protocol: messages, codec, handshake, and what a member knows of its space."""
