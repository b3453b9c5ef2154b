"""The audit handed on to a syslog server over TLS (RFC 5424, RFC 5425; IHE ITI-20)."""
