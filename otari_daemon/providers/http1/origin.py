"""Where an upstream is: scheme, host and port, or a unix socket; and the TLS it is met with."""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """One place to connect to; equal origins may share a pool."""

    scheme: str
    host: str
    port: int
    socket_path: str | None = None

    @classmethod
    def parse(cls, url: str) -> tuple["Origin", str]:
        """Split a base URL into its origin and its path without a final slash.

        Takes `http://host:port/v1`, `https://host/v1`, `unix:/run/up.sock` and, with a path on
        the server after a colon, `unix:/run/up.sock:/v1`. Raises ValueError, which does not
        repeat the URL: it may hold a credential.
        """
        if any(not "!" <= character <= "~" for character in url):
            raise ValueError("upstream url: only visible ascii is allowed, percent-encode the rest")
        if url.startswith("unix:"):
            return cls._parse_unix(url)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError("upstream url: the host or the port cannot be read") from None
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("upstream url: write http://, https:// or unix: and a host or path")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("upstream url: leave out user, query and fragment")
        port = DEFAULT_PORTS[parts.scheme] if port is None else port
        if not 0 < port < 65536:
            raise ValueError("upstream url: the port must lie between 1 and 65535")
        return cls(parts.scheme, parts.hostname, port), parts.path.rstrip("/")

    @classmethod
    def _parse_unix(cls, url: str) -> tuple["Origin", str]:
        path, _, base = url.removeprefix("unix:").partition(":")
        if not path.startswith("/") or (base and not base.startswith("/")):
            raise ValueError("upstream url: write unix:/path/to.sock or unix:/path/to.sock:/v1")
        return cls("http", "localhost", 80, path), base.rstrip("/")

    @property
    def authority(self) -> bytes:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port != DEFAULT_PORTS[self.scheme]:
            host = f"{host}:{self.port}"
        return host.encode("ascii")


def tls_context(ca_file: str | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """Make a client context: TLS 1.2 or later, HTTP/1.1 by ALPN, certificates checked.

    Costs milliseconds, so make one and share it. `ca_file` replaces the system's authorities.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
