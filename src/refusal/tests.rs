use super::*;

#[test]
fn every_refusal_is_a_problem_document() {
    let all = [
        (Refusal::AmbiguousPath, 400, None),
        (Refusal::AmbiguousHost, 400, None),
        (Refusal::UrlTooLong, 414, None),
        (Refusal::HeadersTooLarge, 431, None),
        (Refusal::BodyTooLarge, 413, None),
        (Refusal::NoRoute, 404, None),
        (Refusal::OtherMethods("GET".into()), 405, Some("allow")),
        (Refusal::NoCredential(vec![Scheme::Bearer]), 401, Some("www-authenticate")),
        (Refusal::TokenExpired, 401, Some("www-authenticate")),
        (Refusal::TokenNotYet, 401, Some("www-authenticate")),
        (Refusal::CredentialNotAccepted(Scheme::Bearer), 401, Some("www-authenticate")),
        (Refusal::ClaimMissing("a\"b".into()), 403, Some("www-authenticate")),
        (Refusal::UnusableValue, 400, None),
        (Refusal::OverLimit { retry_after: 3, limits: vec!["l".into()] }, 429, Some("retry-after")),
        (Refusal::LimiterDown, 503, Some("retry-after")),
        (Refusal::BodyNotJson, 400, None),
        (Refusal::UnusableFields, 400, None),
        (Refusal::Composed { status: 404, errors: Vec::new() }, 404, None),
        (Refusal::Composed { status: 403, errors: Vec::new() }, 403, None),
        (Refusal::Composed { status: 503, errors: Vec::new() }, 503, Some("retry-after")),
        (Refusal::NoIdempotencyKey, 400, None),
        (Refusal::StillRunning, 409, Some("retry-after")),
        (Refusal::OtherPayload, 422, None),
        (Refusal::AnswerLost, 409, None),
        (Refusal::ClientSlow, 408, None),
        (Refusal::OtherContentType, 415, None),
        (Refusal::FaultyList(vec![Fault::at("#", "is empty")]), 400, None),
        (Refusal::BatchInBatch, 400, None),
        (Refusal::AnswerTooLarge, 502, None),
        (Refusal::StoreDown, 503, Some("retry-after")),
        (Refusal::BadGateway, 502, None),
        (Refusal::Unavailable, 503, Some("retry-after")),
        (Refusal::NotAllowed { scopes: Some("a b".into()) }, 403, Some("www-authenticate")),
        (Refusal::AddressNotAllowed, 403, None),
        (Refusal::NoCredential(vec![Scheme::ApiKey, Scheme::Basic]), 401, Some("www-authenticate")),
        (Refusal::CredentialNotAccepted(Scheme::Basic), 401, Some("www-authenticate")),
        (Refusal::CannotTell, 503, Some("retry-after")),
        (Refusal::GatewayTimeout, 504, None),
        (Refusal::ClientGone, 499, None),
        (Refusal::NoCredential(vec![Scheme::Certificate]), 401, Some("www-authenticate")),
        (Refusal::NoCredential(vec![Scheme::Signature]), 401, Some("www-authenticate")),
        (Refusal::CredentialNotAccepted(Scheme::ApiKey), 401, Some("www-authenticate")),
        (Refusal::CredentialNotAccepted(Scheme::Certificate), 401, Some("www-authenticate")),
        (Refusal::CredentialNotAccepted(Scheme::Signature), 401, Some("www-authenticate")),
        (Refusal::EncodedBody, 415, Some("accept-encoding")),
        (Refusal::UnfitParameters(vec![Fault::of_parameter("query", "page", "is missing")]), 400, None),
        (Refusal::UnfitBody(vec![Fault::at("#/a", "is missing")]), 422, None),
        (Refusal::NotAllowed { scopes: None }, 403, Some("www-authenticate")),
        (Refusal::Internal, 500, None),
    ];
    for (refusal, status, header) in all {
        let response = refusal.response("id-\"1\"");
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(response.status, status);
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"], "id-\"1\"");
        for key in ["type", "title", "detail"] {
            assert!(body[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {refusal:?}");
        }
        let has = |name: &str| response.headers.iter().any(|(other, _)| *other == name);
        assert!(has("content-type") && has("cache-control"));
        assert!(header.is_none_or(has), "of {refusal:?}");
    }
}
