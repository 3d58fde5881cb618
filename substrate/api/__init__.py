"""The interface from Python, `import substrate as sb`: pandas frames and matplotlib figures."""
