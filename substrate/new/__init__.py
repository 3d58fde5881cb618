"""Starting files for noise models, crossbars, rules and benches of one's own."""
