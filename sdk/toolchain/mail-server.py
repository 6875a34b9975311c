"""A mail server for tests on a free port of this machine: STARTTLS with the certificate of argv[1] and the key of argv[2], then
the user "flow" with the password "correct horse". Prints its port, then one JSON object for each message that it takes;
refuses mail to nobody@example.org. Ends with its standard input."""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Box:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "nobody@example.org":
            return "550 nobody is here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "message": envelope.content.decode("utf-8", "replace"),
            "tls": session.ssl is not None,
        }
        print(json.dumps(told), flush=True)
        return "250 taken"


def known(server, session, envelope, mechanism, data):
    fits = isinstance(data, LoginPassword) and (data.login, data.password) == (b"flow", b"correct horse")
    return AuthResult(success=fits, handled=False)


async def main():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()
    make = lambda: SMTP(  # noqa: E731
        Box(), hostname="localhost", tls_context=tls, require_starttls=True, auth_required=True, authenticator=known
    )
    server = await loop.create_server(make, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
