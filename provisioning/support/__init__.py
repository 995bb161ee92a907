"""What helps to help: a bundle for support, by an allow-list, without secrets."""
