"""Run it: settings, wiring, command line, REST and the console."""
