//! TLS for connections to tenants' systems.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// How much of the server's certificate is checked.
#[derive(Clone, Debug)]
pub enum Verification {
    /// Encrypts without asking who answers: what `ssl` without a certificate authority means upstream.
    None,
    /// The chain must lead to the given PEM certificates, and the name must match.
    Authority { pem: String },
    /// The chain must lead to a public certificate authority, and the name must match.
    PublicRoots,
}

/// A certificate authority that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate authority is not a PEM certificate")]
pub struct InvalidAuthority;

/// A client configuration with the one provider of this process.
pub fn client_config(verification: &Verification) -> Result<Arc<ClientConfig>, InvalidAuthority> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default protocol versions");
    let config = match verification {
        Verification::None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(
                provider.signature_verification_algorithms,
            )))
            .with_no_client_auth(),
        Verification::Authority { pem } => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots
                    .add(certificate.map_err(|_| InvalidAuthority)?)
                    .map_err(|_| InvalidAuthority)?;
            }
            if roots.is_empty() {
                return Err(InvalidAuthority);
            }
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Verification::PublicRoots => {
            let roots = RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            };
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}

/// Makes the provider the process-wide default, for libraries that build their own configurations. Harmless when repeated.
pub fn install_provider() {
    // An error means that a provider is installed already, which is all that is wanted.
    drop(CryptoProvider::install_default(
        rustls::crypto::aws_lc_rs::default_provider(),
    ));
}

/// Accepts every certificate, but still proves that the peer holds its key.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_no_certificate_is_refused() {
        for bad in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            assert!(
                client_config(&Verification::Authority {
                    pem: bad.to_owned()
                })
                .is_err()
            );
        }
        assert!(client_config(&Verification::None).is_ok());
        assert!(client_config(&Verification::PublicRoots).is_ok());
    }
}
