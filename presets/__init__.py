"""Data that ships with semeq, and the functions that find and validate it."""
