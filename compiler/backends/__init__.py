"""The printers, one a target: from a Schedule to text."""
