"""What processes without a web server write into the audit: the node, the worker, their starts."""
