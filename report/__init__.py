"""Pictures, tables and pages made from measurements."""
