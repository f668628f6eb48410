"""The intermediate representation: types, nodes, graphs, modules, and what they mean."""
