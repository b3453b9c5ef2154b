"""The routes of access, for the application."""

from service.access import audit, sign_in, tokens

ROUTERS = (sign_in.router, tokens.router, audit.router)
