"""The certificate by which the API is served to other machines; checked before anything listens."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. ``key``: None where it stands in the certificate's file."""

    certificate: str
    key: str | None = None

    def check(self) -> None:
        """Raise ValueError, with one line, for files that can not be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # A key with a password would be asked for at the terminal, and never by a server in the background.
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except ssl.SSLError as error:
            raise ValueError(f"{self._named()} can not be used: {error.reason or error}") from error
        except OSError as error:
            raise ValueError(f"{self._named()} can not be read: {error.strerror}") from error

    def _named(self) -> str:
        return f"--tls-cert {self.certificate}" + (f" with --tls-key {self.key}" if self.key else "")


def _no_password() -> str:
    raise ValueError("--tls-key has a password; give one without")
