"""What `osteon doctor` looks at before a site relies on an installation."""
