"""What was found and where it lies: directories that share images, the list of images, headers, unread folders."""
