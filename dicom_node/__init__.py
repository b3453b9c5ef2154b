"""The network door: receive, spool, decide completeness, send."""
