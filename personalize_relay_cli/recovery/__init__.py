"""What is set aside in the bucket: read, mended and sent again."""
