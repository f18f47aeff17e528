"""What is acted upon. Importing this package registers our environments with Gymnasium."""
