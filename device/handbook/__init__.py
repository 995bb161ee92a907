"""The pages that are made from the tables in the code, so that the two cannot differ."""
