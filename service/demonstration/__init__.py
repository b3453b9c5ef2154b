"""The demonstration: a synthetic study through the real service to a stand-in PACS and back."""
