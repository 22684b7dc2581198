"""A mail server for one test: aiosmtpd, with TLS, AUTH and refusals as the test wants them.

Says its port, writes each mail as a line of JSON to the file that it is given, and ends when
its standard input does. The mails are read by the parser of Python's library.
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("mails")
    parser.add_argument("--encryption", choices=["none", "starttls", "tls"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--chatty", action="store_true", help="says what it was told")
    parser.add_argument("--refuse", action="append", default=[], metavar="RECIPIENT=REPLY")
    parser.add_argument("--most", type=int, default=1000, help="recipients of one mail")
    parser.add_argument("--reply", default="250 2.0.0 OK queued as 4F3A", help="to the mail itself")
    return parser.parse_args()


def parsed(content):
    mail = email.message_from_bytes(content, policy=email.policy.default)
    defects = [repr(defect) for part in mail.walk() for defect in part.defects]
    defects += [repr(one) for _, value in mail.items() for one in value.defects]
    body = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
    text = {kind: body[kind].get_content().replace("\r\n", "\n") for kind in body}
    return {
        "headers": [[name, str(value)] for name, value in mail.items()],
        "types": [part.get_content_type() for part in mail.walk()],
        "text": text["plain"],
        "html": text["html"],
        "defects": defects,
    }


class Handler:
    def __init__(self, options):
        self.options = options
        self.refused = dict(one.split("=", 1) for one in options.refuse)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in self.refused:
            return self.refused[address]
        if len(envelope.rcpt_tos) >= self.options.most:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        login = session.auth_data
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "login": login.login.decode() if login else None,
            "encrypted": session.ssl is not None or server.transport.get_extra_info("cipher") is not None,
            "certificate": bool(server.transport.get_extra_info("peercert")),
            "raw": envelope.original_content.decode("ascii"),
            **parsed(envelope.original_content),
        }
        if self.options.reply.startswith("250"):
            with open(self.options.mails, "a") as mails:
                mails.write(json.dumps(record) + "\n")
        return self.options.reply


def authenticator(options):
    def check(server, session, envelope, mechanism, data):
        right = (options.user, options.password)
        if (data.login.decode(), data.password.decode()) == right:
            return AuthResult(success=True, auth_data=data)
        message = None
        if options.chatty:
            import base64

            told = base64.b64encode(b"\0" + data.login + b"\0" + data.password).decode()
            message = f"535 5.7.8 not {data.password.decode()}, as in {told}"
        return AuthResult(success=False, handled=False, message=message)

    return check


def context(options):
    if options.encryption == "none":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def main():
    chosen = options()
    tls = context(chosen)
    starttls = tls if chosen.encryption == "starttls" else None

    def server():
        return SMTP(
            Handler(chosen),
            hostname="mail.example.com",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticator(chosen),
            auth_required=chosen.user is not None,
            # It does not know of a TLS that is there from the beginning.
            auth_require_tls=starttls is not None,
            auth_exclude_mechanism=[] if chosen.user else ["LOGIN", "PLAIN"],
        )

    loop = asyncio.get_running_loop()
    at_once = tls if chosen.encryption == "tls" else None
    listening = await loop.create_server(server, "127.0.0.1", 0, ssl=at_once)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


warnings.simplefilter("ignore")
logging.basicConfig(level=logging.CRITICAL)
asyncio.run(main())
