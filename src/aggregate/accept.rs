//! Which form of an answer a client asks for (RFC 9110, section 12.5.1).

use super::words::StreamForm;
use crate::accept::{Liking, liking};

/// The media type of an answer in one piece.
const JSON: &str = "application/json";

/// The form that an `Accept` field asks for, of those that there are; `None` is JSON in one piece. An answer
/// in pieces is given only to those that name it, and like nothing better.
pub fn stream_asked_for(accept: Option<&str>, forms: &[StreamForm]) -> Option<StreamForm> {
    let accept = accept?;
    let liked = |name: &str| liking(accept, name);
    let json = liked(JSON);
    let json_quality = json.or_else(|| liked("application/*")).or_else(|| liked("*/*")).map_or(0, |json| json.quality);
    let mut best: Option<(Liking, StreamForm)> = None;
    for form in forms {
        for liked in form.media_types().iter().filter_map(|name| liked(name)) {
            let is_first = json.is_none_or(|json| liked.place < json.place);
            let beats_json = liked.quality > json_quality || (liked.quality == json_quality && is_first);
            // Of those that are liked equally, the first.
            let beats = |other: &Liking| (liked.quality, other.place) > (other.quality, liked.place);
            if liked.quality > 0 && beats_json && best.as_ref().is_none_or(|(other, _)| beats(other)) {
                best = Some((liked, *form));
            }
        }
    }
    best.map(|(_, form)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_for_those_that_name_it_and_like_nothing_better() {
        use StreamForm::{NdJson, Sse};
        for (accept, expected) in [
            ("text/event-stream", Some(Sse)),
            ("Text/Event-Stream ; q=0.9", Some(Sse)),
            ("application/x-ndjson", Some(NdJson)),
            ("application/jsonl", Some(NdJson)),
            ("application/ndjson, application/json", Some(NdJson)),
            ("application/json, text/event-stream", None),
            ("text/event-stream, */*", Some(Sse)),
            ("*/*, text/event-stream", Some(Sse)),
            ("text/event-stream;q=0.5, */*", None),
            ("text/event-stream;q=0.5, application/json;q=0.4", Some(Sse)),
            ("text/event-stream;q=0.5, application/x-ndjson", Some(NdJson)),
            ("text/event-stream;q=0", None),
            ("text/event-stream;q=much", None),
            ("text/event-stream;q=1.001", None),
            ("text/event-stream;q=-1", None),
            ("text/event-stream;q=1.000", Some(Sse)),
            ("text/event-stream;q=0.45, application/x-ndjson;q=0.451", Some(NdJson)),
            ("*/*", None),
            ("text/*", None),
            ("", None),
        ] {
            assert_eq!(stream_asked_for(Some(accept), &[NdJson, Sse]), expected, "of {accept}");
        }
        assert_eq!(stream_asked_for(None, &[NdJson, Sse]), None);
        assert_eq!(stream_asked_for(Some("text/event-stream"), &[NdJson]), None);
        assert_eq!(stream_asked_for(Some("text/event-stream"), &[]), None);
    }
}
