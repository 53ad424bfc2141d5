//! The two things that are read out of an X.509 certificate: the hash that channel binding uses, and the common
//! name. Its signature, dates and chain are rustls's business and checked by it.

use ring::digest;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const EXPLICIT_VERSION: u8 = 0xa0;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Signature algorithms as object identifiers, and the hash of `tls-server-end-point` (RFC 5929, section 4.1): that of
/// the signature, SHA-256 in place of MD5 and SHA-1. Algorithms that name no hash (Ed25519) or hide it in their
/// parameters (RSA-PSS) are left out: libpq fails on them, so channel binding must not be offered.
const SIGNATURES: &[(&[u8], &digest::Algorithm)] = &[
    // RSA with MD5, SHA-1, SHA-256, SHA-384, SHA-512.
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], &digest::SHA256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], &digest::SHA256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], &digest::SHA256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c], &digest::SHA384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d], &digest::SHA512),
    // ECDSA with SHA-1, SHA-256, SHA-384, SHA-512.
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], &digest::SHA256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], &digest::SHA256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03], &digest::SHA384),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04], &digest::SHA512),
];

/// The channel-binding data of a server certificate. `None`: its signature has no hash to go by.
pub(super) fn end_point(der: &[u8]) -> Option<Vec<u8>> {
    let mut certificate = Der(Der(der).take(SEQUENCE)?);
    certificate.take(SEQUENCE)?;
    let algorithm = Der(certificate.take(SEQUENCE)?).take(OBJECT_IDENTIFIER)?;
    let (_, hash) = SIGNATURES.iter().find(|(identifier, _)| *identifier == algorithm)?;
    Some(digest::digest(hash, der).as_ref().to_vec())
}

/// The common name of a certificate's subject. `None`: it has none, or several, or one that is not plain text.
pub(super) fn common_name(der: &[u8]) -> Option<String> {
    let mut signed = Der(Der(Der(der).take(SEQUENCE)?).take(SEQUENCE)?);
    if signed.0.first() == Some(&EXPLICIT_VERSION) {
        signed.next()?;
    }
    // Serial number, signature algorithm, issuer, validity.
    for _ in 0..4 {
        signed.next()?;
    }
    let mut subject = Der(signed.take(SEQUENCE)?);
    let mut found = None;
    while !subject.0.is_empty() {
        let mut attributes = Der(subject.take(SET)?);
        while !attributes.0.is_empty() {
            let mut attribute = Der(attributes.take(SEQUENCE)?);
            if attribute.take(OBJECT_IDENTIFIER)? != COMMON_NAME {
                continue;
            }
            let (kind, value) = attribute.next()?;
            let is_text = matches!(kind, UTF8_STRING | PRINTABLE_STRING | IA5_STRING);
            // A zero byte has been used to make one name look like another.
            if !is_text || value.contains(&0) || found.is_some() {
                return None;
            }
            found = Some(std::str::from_utf8(value).ok()?.to_owned());
        }
    }
    found
}

/// What is left to read of a DER encoding.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next element, which must be of this kind.
    fn take(&mut self, kind: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == kind).map(|(_, content)| content)
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&kind, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((kind, content))
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/wire/tests/tls");
        CertificateDer::from_pem_file(folder.join(name)).unwrap()
    }

    #[test]
    fn the_name_and_the_hash_of_a_certificate() {
        let client = certificate("client.pem");
        assert_eq!(common_name(&client).as_deref(), Some("analyst"));
        let expected = digest::digest(&digest::SHA256, &client);
        assert_eq!(end_point(&client).as_deref(), Some(expected.as_ref()));
        // SHA-384 by its signature; its subject has two common names.
        let odd = certificate("odd.pem");
        assert_eq!(common_name(&odd), None);
        assert_eq!(end_point(&odd).as_deref(), Some(digest::digest(&digest::SHA384, &odd).as_ref()));
    }

    /// Every cut and every changed byte gives an answer or none, and never a panic.
    #[test]
    fn broken_certificates_have_no_name() {
        let whole = certificate("client.pem");
        for end in 0..whole.len() {
            assert_eq!((common_name(&whole[..end]), end_point(&whole[..end])), (None, None), "{end}");
        }
        for place in 0..whole.len() {
            for value in [0, 0x7f, 0x80, 0x84, 0x85, 0xff] {
                let mut broken = whole.to_vec();
                broken[place] = value;
                let _ = (common_name(&broken), end_point(&broken));
            }
        }
    }
}
