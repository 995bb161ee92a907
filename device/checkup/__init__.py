"""What a machine is made of, as the doctor sees it: board, HAT, cards, rights, panels."""
