"""Reports of datasets and exports, as files to pass on."""
