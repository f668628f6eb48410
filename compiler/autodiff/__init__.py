"""Both modes of differentiation, from graphs to graphs."""
