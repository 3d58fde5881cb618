"""Starting files for noise models, crossbars and learning rules of one's own."""
