"""Drawing what a noise model or crossbar does, next to its parameters with units and source."""
