"""The answer to an SDP offer: what WebRTC clients agree on before they connect.

Facts: RFC 8829 5.3 (each section of the offer is answered with one of its kind and of its `mid`, in their order), and
the example in the API's reference, whose lines these are.
"""

from __future__ import annotations

import re

from replayproxy.emulator.shelf import HEX, mint

__all__ = ["sdp_answer"]

_SECTION = re.compile(r"^m=(\w+) \S+ (\S+)(.*)$")
#: The media that are taken; what else is offered is turned down, and stays out of the bundle (RFC 9143 7.3.3).
_TAKEN = ("audio", "application")
_OPUS = "111"
_OPUS_MAP = re.compile(r"a=rtpmap:(\d+) opus/48000/2$", re.IGNORECASE)


def sdp_answer(offer: str, call: str) -> str:
    """The answer to an offer; what cannot be known without a connection follows from the id of the `call`."""
    sections = _sections(offer)
    mids = " ".join(_mid(lines, place) for place, lines in enumerate(sections) if _media(lines) in _TAKEN)
    digits = mint("", "fingerprint", call, length=64, digits=HEX).upper()
    fingerprint = ":".join(digits[place : place + 2] for place in range(0, 64, 2))
    lines = [
        "v=0",
        f"o=- {mint('', 'session', call, length=10, digits='123456789')} 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        *([f"a=group:BUNDLE {mids}"] if mids else []),
        "a=msid-semantic:WMS *",
        f"a=fingerprint:sha-256 {fingerprint}",
    ]
    for place, section in enumerate(sections):
        lines += _answered(section, _mid(section, place), call)
    return "".join(f"{line}\r\n" for line in lines)


def _sections(offer: str) -> list[list[str]]:
    """The lines of each section of media; lines above them and sections that are not well-formed are passed over."""
    sections: list[list[str]] = []
    for line in offer.splitlines():
        if _SECTION.match(line):
            sections.append([line])
        elif sections:
            sections[-1].append(line)
    return sections


def _mid(section: list[str], place: int) -> str:
    return next((line.removeprefix("a=mid:") for line in section if line.startswith("a=mid:")), str(place))


def _media(section: list[str]) -> str:
    return section[0].removeprefix("m=").partition(" ")[0]


def _answered(section: list[str], mid: str, call: str) -> list[str]:
    head = _SECTION.match(section[0])
    assert head is not None  # noqa: S101 -- for the type checker: it is what began the section
    media, protocol, formats = head.groups()
    transport = [
        f"a=mid:{mid}",
        f"a=ice-ufrag:{mint('', 'ufrag', call, length=12)}",
        f"a=ice-pwd:{mint('', 'pwd', call, length=32)}",
        "a=setup:active",
    ]
    if media == "audio":
        opus = next((found.group(1) for line in section if (found := _OPUS_MAP.match(line))), _OPUS)
        return [f"m=audio 9 {protocol} {opus}", *transport, "a=rtcp-mux", f"a=rtpmap:{opus} opus/48000/2"]
    if media == "application":
        return [f"m=application 9 {protocol}{formats}", *transport, "a=sctp-port:5000"]
    return [f"m={media} 0 {protocol}{formats}", f"a=mid:{mid}", "a=inactive"]
