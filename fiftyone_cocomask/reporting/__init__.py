"""Reports to pass on: one HTML file that opens without a network, a database or us."""
