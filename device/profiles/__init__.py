"""The boards a box is built on, as data: one TOML file for each, and what reads them."""
