"""A server of OAuth 2 tokens for tests, made of oauthlib: token-server.py

Prints its address, and a line for each request for a token: its grant and the status that it was answered with. Ends with its
standard input. There is one client, `flow & co`, with the secret `cl1ent: s3cret/+`, and one refresh token at the start,
`refresh-0000-s3cret`, which is replaced each time that it is used.

POST /token   as the standard says
GET  /me      200 with the token that came along (so that it can be seen who gets it), or 401
POST /forget  forgets all access tokens, as a server that was started anew
"""

import base64
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

from oauthlib.oauth2 import RequestValidator, Server

CLIENT, SECRET = "flow & co", "cl1ent: s3cret/+"
SCOPES = ["read", "write"]
access, refresh, lock = set(), {"refresh-0000-s3cret"}, threading.Lock()


class Client:
    client_id = CLIENT


class Validator(RequestValidator):
    def client_authentication_required(self, request, *args, **kwargs):
        return True

    def authenticate_client(self, request, *args, **kwargs):
        name, secret = request.client_id, request.client_secret
        kind, _, pair = request.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            # Both are encoded as in a form first (RFC 6749, 2.3.1).
            name, secret = (unquote_plus(part) for part in base64.b64decode(pair).decode().split(":"))
        if (name, secret) != (CLIENT, SECRET):
            return False
        request.client = Client()
        return True

    def validate_grant_type(self, client_id, grant_type, client, request, *args, **kwargs):
        return grant_type in ("client_credentials", "refresh_token")

    def get_default_scopes(self, client_id, request, *args, **kwargs):
        return ["read"]

    def validate_scopes(self, client_id, scopes, client, request, *args, **kwargs):
        return all(scope in SCOPES for scope in scopes)

    def validate_refresh_token(self, refresh_token, client, request, *args, **kwargs):
        with lock:
            known = refresh_token in refresh
            refresh.discard(refresh_token)
            return known

    def get_original_scopes(self, refresh_token, request, *args, **kwargs):
        return SCOPES

    def save_bearer_token(self, token, request, *args, **kwargs):
        with lock:
            access.add(token["access_token"])
            if "refresh_token" in token:
                refresh.add(token["refresh_token"])

    def validate_bearer_token(self, token, scopes, request):
        with lock:
            return token in access


server = Server(Validator(), token_expires_in=600)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers, body):
        body = (body or "").encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        valid, _ = server.verify_request(self.path, "GET", None, dict(self.headers), [])
        told = {"you": self.headers.get("Authorization", "")}
        self.answer(200 if valid else 401, {"Content-Type": "application/json"}, json.dumps(told))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/forget":
            with lock:
                access.clear()
            return self.answer(204, {}, "")
        # The standard wants TLS; this is a test on one machine.
        answer = server.create_token_response("https://token.test/token", "POST", body, dict(self.headers))
        headers, text, status = answer
        grant = dict(field.split("=") for field in body.split("&")).get("grant_type")
        print(f"{grant} {status}", flush=True)
        self.answer(status, headers, text)

    def log_message(self, *args):
        pass


http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=http.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{http.server_port}", flush=True)
sys.stdin.read()
