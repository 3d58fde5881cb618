"""`substrate bench`: measurements of the product itself."""
