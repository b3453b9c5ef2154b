"""The console as a person uses it: Debian's Chromium in front of the running embedded system."""
