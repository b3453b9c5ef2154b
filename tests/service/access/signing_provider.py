"""A provider that signs what a test wants signed, wrong things too, over real HTTP on loopback.

`tests/acceptance/test_sign_in.py` signs in at a real one; this one says what a real one never says.
"""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from joserfc import jwk, jwt

CLIENT, SECRET = "osteon", "s3cret: &+%2B"


class SigningProvider:
    """Discovery, keys, tokens and userinfo; change its attributes to make it lie."""

    def __init__(self):
        self.key = jwk.RSAKey.generate_key(2048, {"kid": "one"})
        self.published = [self.key]
        self.algorithm = "RS256"
        self.header = {}
        self.document = {}
        self.claims = {}
        self.userinfo = {"sub": "person-1", "groups": ["it"], "preferred_username": "jo"}
        self.asked = []
        self.posted = {}
        self.codes = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def authorise(self, address):
        """Do what the provider's page does with the browser: give the query of the way back."""
        query = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def id_token(self, query):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "person-1",
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one", **self.header}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def answer(self, path):
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            at = self.issuer
            return {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorise?tenant=1",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/keys",
                "userinfo_endpoint": f"{at}/me",
                "end_session_endpoint": f"{at}/leave",
                **self.document,
            }
        if path == "/keys":
            return {"keys": [key.as_dict(private=False) for key in self.published]}
        return self.userinfo if path == "/me" else None

    def exchange(self, form, authorization):
        """Check client, redirection and code verifier as RFC 6749 and RFC 7636 ask."""
        self.posted = {**form, "authorization": authorization}
        query = self.codes.pop(form["code"], None)
        basic = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = (
            query is not None
            and [unquote(part) for part in basic.split(":")] == [CLIENT, SECRET]
            and form["redirect_uri"] == query["redirect_uri"]
            and query["code_challenge_method"] == "S256"
            and challenge == query["code_challenge"]
        )
        if not right:
            return None
        return {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token(query)}

    def _handler(self):
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._say(provider.answer(self.path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: value for name, (value,) in parse_qs(body).items()}
                self._say(provider.exchange(form, self.headers.get("Authorization", "")))

            def _say(self, document):
                body = json.dumps(document).encode()
                self.send_response(400 if document is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        return Handler
