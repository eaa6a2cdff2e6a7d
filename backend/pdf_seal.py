"""A seal over a PDF file: a PAdES signature of level B-B (ETSI EN 319 142-1) that any reader of PDF can check.

It imports nothing of the house, for it runs in a process of its own (`backend.worker_processes`). pyHanko is imported
when the first paper is sealed: no other process has to carry it.
"""

import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_FIELD = "QiaoyiSeal"


@dataclass(frozen=True)
class Seal:
    """A key and what vouches for it, all DER: certificate, PKCS #8 key, root."""

    certificate: bytes
    key: bytes = field(repr=False)
    root: bytes


def sealed(pdf: bytes, seal: Seal, at: datetime, reason: str) -> bytes:
    """Give the file with an invisible signature over all of it, which states the moment `at` and why it was put; no
    change is allowed."""
    from asn1crypto import keys, x509
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    class SealingOurTime(signers.PdfSigner):
        """States our clock's moment, which in a local WeChat may be days ahead."""

        def init_signing_session(self, *arguments: Any, **named: Any) -> Any:
            session = super().init_signing_session(*arguments, **named)
            session.system_time = at
            return session

    others = SimpleCertificateStore()
    others.register(x509.Certificate.load(seal.root))
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(seal.certificate),
        signing_key=keys.PrivateKeyInfo.load(seal.key),
        cert_registry=others,
    )
    meta = signers.PdfSignatureMetadata(
        field_name=_FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=reason,
    )
    out = io.BytesIO()
    SealingOurTime(meta, signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
    return out.getvalue()


def seal_holds(pdf: bytes, roots: tuple[bytes, ...]) -> bool:
    """Tell whether one seal lies over the whole file, no byte was changed or added, and it leads to one of `roots`.

    The certificate has to have been valid at the moment that the seal states.
    """
    from asn1crypto import x509
    from pyhanko.pdf_utils.misc import PdfError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.general import SigningError
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko.sign.validation.status import SignatureCoverageLevel
    from pyhanko_certvalidator import ValidationContext

    try:
        reader = PdfFileReader(io.BytesIO(pdf))
        (seal,) = reader.embedded_signatures
        context = ValidationContext(
            trust_roots=[x509.Certificate.load(root) for root in roots],
            moment=seal.self_reported_timestamp,
            allow_fetching=False,
        )
        status = validate_pdf_signature(seal, context)
    except (PdfError, SigningError, SignatureValidationError, ValueError, KeyError, IndexError, TypeError):
        return False
    return bool(status.bottom_line) and status.coverage is SignatureCoverageLevel.ENTIRE_FILE
