//! TLS for the connection that sqlx does not make, as the URL of the database asks for it and sqlx does it: `require` encrypts,
//! `verify-ca` also checks who has signed the server's certificate, `verify-full` whether it is that server's.
//! (<https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>)

use std::borrow::Cow;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sqlx::Error;
use sqlx::postgres::PgSslMode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::{TlsConnector, client};

/// What the URL says about certificates: each a file, or what would be in it.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    pub(crate) root: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) client_key: Option<String>,
}

impl Certificates {
    /// Of the parameters of a URL, as sqlx writes it.
    pub(crate) fn of<'a>(parameters: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Self {
        let mut all = Self::default();
        for (name, value) in parameters {
            let place = match &*name {
                "sslrootcert" => &mut all.root,
                "sslcert" => &mut all.client,
                "sslkey" => &mut all.client_key,
                _ => continue,
            };
            *place = Some(value.into_owned());
        }
        all
    }
}

fn pem(given: &str) -> Result<Vec<u8>, Error> {
    match given.strip_prefix("file: ") {
        Some(path) => std::fs::read(path)
            .map_err(|error| Error::Configuration(format!("{path} cannot be read: {error}").into())),
        None => Ok(given.as_bytes().to_vec()),
    }
}

fn certificates(given: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let parsed = CertificateDer::pem_slice_iter(&pem(given)?).collect::<Result<Vec<_>, _>>();
    parsed.map_err(|error| Error::Tls(error.into()))
}

fn tls(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Tls(error.into())
}

/// How a connection is encrypted.
#[derive(Clone)]
pub(crate) struct Security(TlsConnector);

impl Security {
    pub(crate) fn of(mode: PgSslMode, given: &Certificates) -> Result<Self, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let authorities = match mode {
            PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
                let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
                for root in given.root.as_deref().map(certificates).transpose()?.unwrap_or_default() {
                    roots.add(root).map_err(tls)?;
                }
                let verifier =
                    WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
                Some(verifier.build().map_err(tls)?)
            }
            _ => None,
        };
        let any_name = !matches!(mode, PgSslMode::VerifyFull);
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { authorities, any_name, provider }));
        let config = match (&given.client, &given.client_key) {
            (Some(certificate), Some(key)) => {
                let key = PrivateKeyDer::from_pem_slice(&pem(key)?).map_err(tls)?;
                config.with_client_auth_cert(certificates(certificate)?, key).map_err(tls)?
            }
            (None, None) => config.with_no_client_auth(),
            _ => return Err(Error::Configuration("sslcert and sslkey go together".into())),
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

/// Checks as much as was asked for.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    any_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        match authorities.verify_server_cert(end_entity, intermediates, server, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl MakeTlsConnect<Socket> for Security {
    type Stream = Encrypted;
    type TlsConnect = ToServer;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<ToServer, Self::Error> {
        Ok(ToServer { server: ServerName::try_from(host.to_owned())?, connector: self.0.clone() })
    }
}

/// A connection that is to be encrypted.
pub(crate) struct ToServer {
    server: ServerName<'static>,
    connector: TlsConnector,
}

impl TlsConnect<Socket> for ToServer {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let handshake = self.connector.connect(self.server, socket);
        Box::pin(async move { handshake.await.map(Encrypted) })
    }
}

/// An encrypted connection.
pub(crate) struct Encrypted(client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    /// sqlx binds no authentication to its channel either.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
