"""What the images promise to whoever runs them."""
