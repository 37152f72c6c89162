"""What imports remember in each sample, and of which fields."""
