"""The commands as they are called: names, options and help, by group; each calls its module."""
