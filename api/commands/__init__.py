"""What stands behind the command line; each file holds the commands of one purpose."""
