"""Certificates and handshakes."""

from __future__ import annotations

from tests.street.case import SECURE, Case, secured
from tests.street.cases_wire import SOON
from tests.street.pki import CIPHERS_ANY, Tls
from tests.street.wire import GOOD_PAGE, http, raw

GOOD = http(GOOD_PAGE)
OLD = ("TLSv1", "TLSv1_1")


def handshake_hangs(visit):
    visit.connection.recv(4096)
    visit.hang()


def handshake_closes(visit):
    visit.connection.recv(4096)


def handshake_resets(visit):
    visit.connection.recv(4096)
    visit.reset()


def answers_plainly(answer):
    return lambda visit: (visit.connection.recv(4096), visit.send(answer))


def _cert(name, verdict, host="shop.example", **wrong):
    return secured(f"tls: {name}", verdict, GOOD, host=host, tls=Tls(**wrong))


def _bare(name, verdict, behave, *words):
    return Case(f"tls: {name}", verdict, behave, words, SECURE)


CASES = (
    _cert("a good chain", "ok"),
    _cert("an expired certificate", "failing tls.expired", start=-60, end=-5),
    _cert("a certificate that expired an hour ago", "failing tls.expired", start=-60, end=-1 / 24),
    _cert("an expired intermediate", "failing tls.expired", chain="old"),
    _cert("an intermediate that is not yet valid", "failing tls.not_yet_valid", chain="young"),
    _cert("a certificate that is not yet valid", "failing tls.not_yet_valid", start=5, end=60),
    _cert("another host", "failing tls.hostname", names=("other.example",)),
    _cert("www only", "failing tls.hostname", names=("www.shop.example",)),
    _cert("no name at all but the common name", "failing tls.hostname", names=()),
    _cert("a wildcard", "ok", host="de.shop.example", names=("*.shop.example",)),
    _cert("a wildcard over a whole top-level domain", "failing tls.hostname", names=("*.example",)),
    _cert("a wildcard one level too high", "failing tls.hostname", host="m.de.shop.example", names=("*.shop.example",)),
    _cert("a wildcard beside its own name", "failing tls.hostname", names=("*.shop.example",)),
    _cert("an IP address among the names", "ok", host="127.0.0.1", names=("127.0.0.1",)),
    _cert("an IP address that is not among the names", "failing tls.hostname", host="127.0.0.1"),
    _cert("self-signed", "failing tls.self_signed", chain="self"),
    _cert("self-signed and for another host", "failing tls.hostname", chain="self", names=("other.example",)),
    _cert("self-signed and expired", "failing tls.self_signed", chain="self", start=-60, end=-5),
    _cert("an unknown root, sent along", "failing tls.untrusted", chain="foreign"),
    _cert("an unknown root, not sent", "failing tls.untrusted", chain="unsent"),
    _cert("an unknown root above an intermediate", "failing tls.untrusted", chain="private"),
    _cert("the intermediate is left out", "failing tls.incomplete_chain", chain="leaf"),
    _cert("the intermediate is left out, and the leaf says where it lies", "failing tls.incomplete_chain", chain="leaf", aia=True),
    _cert("another intermediate is sent", "failing tls.incomplete_chain", chain="wrong"),
    _cert("the upper of two intermediates is left out", "failing tls.incomplete_chain", chain="crossed"),
    _cert("an intermediate that may not sign", "failing tls.untrusted", chain="cafree"),
    _cert("the chain in the wrong order", "ok", chain="reversed"),
    _cert("the root sent along", "ok", chain="rooted"),
    _cert("ends in a day", "degraded tls.expiring", end=1),
    _cert("ends in five days", "degraded tls.expiring", end=5),
    _cert("ends in twenty days, of half a year", "degraded tls.expiring", start=-160, end=20),
    _cert("ends in twenty days, of seven weeks", "ok", end=20),
    _cert("ends in forty days", "ok", start=-300, end=40),
    _cert("a six-day certificate, half way", "ok", start=-3, end=3),
    _cert("a six-day certificate on its last day", "degraded tls.expiring", start=-5.5, end=0.5),
    _cert("an RSA key", "ok", key="rsa2048"),
    _cert("a weak key", "failing tls.untrusted", key="rsa1024"),
    _cert("signed with SHA-1", "failing tls.untrusted", sha1=True),
    _cert("for clients only", "failing tls.untrusted", usage="client"),
    _cert("a client certificate is demanded (TLS 1.3)", "failing tls.client_cert", demands=True),
    _cert("a client certificate is demanded (TLS 1.2)", "failing tls.client_cert", demands=True, versions=("TLSv1_2", "TLSv1_2")),
    _cert("TLS 1.2 only", "ok", versions=("TLSv1_2", "TLSv1_2")),
    _cert("TLS 1.3 only", "ok", versions=("TLSv1_3", "TLSv1_3")),
    _cert("TLS 1.0 and 1.1 only", "failing tls.protocol", versions=OLD, ciphers=CIPHERS_ANY),
    _cert("no cipher in common", "failing tls.protocol", versions=("TLSv1_2", "TLSv1_2"), ciphers="ADH-AES256-GCM-SHA384:@SECLEVEL=0"),
    _bare("the handshake hangs", "failing tls.timeout", handshake_hangs, *SOON),
    _bare("the handshake is closed", "failing tls.protocol", handshake_closes),
    _bare("the handshake is reset", "failing tcp.reset", handshake_resets),
    _bare("garbage in the handshake", "failing tls.protocol", answers_plainly(b"\x00\x01garbage" * 20)),
    _bare("plain HTTP on the port", "failing tls.protocol", answers_plainly(http("x", "400 Bad Request"))),
    _bare("an alert", "failing tls.protocol", answers_plainly(b"\x15\x03\x03\x00\x02\x02\x28")),
    _bare("the name is not known to the server", "failing tls.protocol", answers_plainly(b"\x15\x03\x03\x00\x02\x02\x70")),
    secured("tls: closed without a word", "failing proto.empty_reply", lambda visit: visit.request()),
    secured("tls: a body that ends without a farewell", "failing proto.truncated", lambda visit: (visit.request(), visit.send(raw("HTTP/1.1 200 OK", "content-type: text/html", body=GOOD_PAGE.encode())))),
    secured("tls: a redirect to a bad certificate", "failing tls.hostname", http(status="302 Found", location="https://wrong.example:{port}/")),
)  # fmt: skip
