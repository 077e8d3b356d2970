"""Wire shapes of DESIGN §6.5, made from domain values."""
