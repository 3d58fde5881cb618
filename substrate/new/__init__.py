"""Starting files for noise models and crossbars of one's own."""
