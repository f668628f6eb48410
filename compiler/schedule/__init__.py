"""From optimised graphs to the lines of a module: order, names, notes, what is saved."""
