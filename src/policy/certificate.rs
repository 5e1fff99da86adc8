//! Who is calling: a client certificate that the platform has checked (mutual TLS, RFC 8446, section 4.4.2).
//!
//! ```json
//! "auth": { "device": { "certificate": {
//!     "issuer": "CN=Devices CA,O=Example", "certificates": [{ "fingerprint": "9f86…", "owner": "kiosk-7" }] } } }
//! ```
//!
//! What the platform reports counts, and nothing of the request does. A certificate counts if the platform found that an
//! authority which it trusts has issued it, and that it is not revoked.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::head::UnixMillis;
use crate::policy::caller::Caller;
use crate::policy::record::{Record, RecordSettings};
use crate::settings::{List, Place, Problems, Text, not_of_form, shape, written_as_text};

/// A client certificate, as the platform reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whether the platform trusts it.
    pub is_trusted: bool,
    /// The SHA-256 digest of it.
    pub fingerprint: Fingerprint,
    /// Whose it is: a distinguished name (RFC 2253).
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Its number.
    pub serial: String,
}

impl Certificate {
    /// Reads it from lines: `trusted` or something else, the fingerprint, subject, issuer and serial number.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        Some(Self {
            is_trusted: lines.next()? == "trusted",
            fingerprint: Fingerprint::read(lines.next()?).ok()?,
            subject: lines.next()?.to_owned(),
            issuer: lines.next()?.to_owned(),
            serial: lines.next()?.to_owned(),
        })
    }
}

/// The SHA-256 digest of a certificate: 64 hexadecimal digits, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Text for Fingerprint {
    const FORM: &'static str = "a SHA-256 fingerprint: 64 hexadecimal digits, maybe with colons between each two";
    const PATTERN: &'static str = "^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$";

    fn read(text: &str) -> Result<Self, String> {
        let digits = text.replace(':', "").to_ascii_lowercase();
        let is_fine = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_fine { Ok(Self(digits)) } else { Err(not_of_form::<Self>()) }
    }
}

written_as_text!(Fingerprint);

shape! {
    /// A certificate that counts, or several of one subject.
    pub struct CertificateSettings with record: RecordSettings {
        /// The SHA-256 fingerprint of one certificate; or `subject`.
        "fingerprint" => fingerprint: Option<Fingerprint> = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        /// Whose certificates they are, as a distinguished name of RFC 2253, letter by letter.
        "subject" => subject: Option<String> = "CN=kiosk-7,O=Example",
    }
}

shape! {
    /// A client certificate that the platform has checked.
    pub struct CertificateRuleSettings {
        /// Who must have issued it, as a distinguished name of RFC 2253, letter by letter. Default: whom the platform trusts.
        "issuer" => issuer: Option<String> = "CN=Devices CA,O=Example",
        /// The certificates that count.
        "certificates" => certificates: Option<List<CertificateSettings>> = [{ "subject": "CN=kiosk-7,O=Example", "owner": "kiosk-7" }],
        /// Whether every certificate counts that the platform trusts; {jwt.sub} is then its subject. Default false.
        "any" => any: Option<bool> = true,
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct CertificateRule {
    /// Its name in the file.
    pub name: String,
    issuer: Option<String>,
    known: Vec<KnownCertificate>,
    takes_any: bool,
}

#[derive(Debug)]
struct KnownCertificate {
    fingerprint: Option<Fingerprint>,
    subject: Option<String>,
    record: Record,
}

impl CertificateRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(
        name: &str,
        settings: CertificateRuleSettings,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let takes_any = settings.any.map(|any| any.unwrap_or(false));
        let written = settings.certificates.map(|certificates| certificates.map(|all| all.0).unwrap_or_default());
        if takes_any == Some(false) && written.as_ref().is_some_and(Vec::is_empty) {
            problems.add(place, "has neither \"certificates\" nor \"any\", so that nobody can call");
        }
        let place_of_all = place.at("certificates");
        let known = written?.into_iter().enumerate().map(|(at, settings)| {
            let settings = settings?;
            let (fingerprint, subject) = (settings.fingerprint?, settings.subject?);
            if fingerprint.is_none() && subject.is_none() {
                problems.add(&place_of_all.at(at), "lacks \"fingerprint\" or \"subject\"");
            }
            Some(KnownCertificate {
                fingerprint,
                subject,
                record: Record::compile(&vouched_by(name), settings.record)?,
            })
        });
        // All, so that each is looked at.
        let known: Vec<_> = known.collect();
        Some(Self {
            name: name.to_owned(),
            issuer: settings.issuer?,
            known: known.into_iter().collect::<Option<_>>()?,
            takes_any: takes_any?,
        })
    }

    /// Who is calling a route of this pattern; the error is for the log.
    pub fn caller(&self, certificate: &Certificate, route: &str, now: UnixMillis) -> Result<Arc<Caller>, &'static str> {
        if !certificate.is_trusted {
            return Err("is none that the platform trusts");
        }
        if self.issuer.as_ref().is_some_and(|issuer| *issuer != certificate.issuer) {
            return Err("is of another issuer");
        }
        let is_it = |known: &&KnownCertificate| {
            known.fingerprint.as_ref().is_none_or(|fingerprint| *fingerprint == certificate.fingerprint)
                && known.subject.as_ref().is_none_or(|subject| *subject == certificate.subject)
        };
        if let Some(known) = self.known.iter().find(is_it) {
            return known.record.caller(route, now);
        }
        if !self.takes_any || certificate.subject.is_empty() {
            return Err("is none that is known");
        }
        let Certificate { fingerprint, subject, issuer, serial, .. } = certificate;
        let claims = [
            ("sub", subject),
            ("certificate_issuer", issuer),
            ("certificate_serial", serial),
            ("certificate_fingerprint", &fingerprint.0),
        ];
        let claims: Map<String, Value> =
            claims.into_iter().map(|(name, value)| (name.to_owned(), value.as_str().into())).collect();
        Ok(Arc::new(Caller::new(&vouched_by(&self.name), claims)))
    }
}

/// Who vouches for the callers of a rule: no token's issuer is written so.
fn vouched_by(rule: &str) -> String {
    format!("certificate {rule}")
}
