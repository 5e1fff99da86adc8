//! How the parts of an aggregate become its answer, as it is written.

use crate::aggregate::words::{Form, HeaderRule, StatusOfWhole, StreamForm};
use crate::merge::EqualKeys;
use crate::router::ValueTest;
use crate::settings::{List, Named, OneOrMany, Size, shape};
use crate::shaping::ShapingSettings;

shape! {
    /// How the parts of an aggregate become its answer.
    pub struct AnswerSettings with shaping: ShapingSettings {
        /// What the answer is: an "object" with a member for each part (the default), an "array" with an element
        /// for each, or the "value" of the one part that is not hidden. In the order of the file.
        "form" => form: Option<Form> = "array",
        /// What becomes of equal keys, of members that are spread: the "first" or the "last" (the default) in the
        /// order of the file counts, objects are merged ("deep"), arrays in them too ("concat"; {"union_by": "id"}
        /// makes elements with equal ids one), or it is an "error" (502).
        "equal_keys" => equal_keys: Option<EqualKeys> = "deep",
        /// The status of the whole.
        "status" => status: Option<StatusSettings> = { "partial": 206, "required": { "404": 404, "403": 403 } },
        /// The name of a member that tells which parts failed: an array of objects with `part`, `kind` and, if
        /// there was one, the `status` of the service. `kind` is "status", "timeout", "unreachable", "unavailable",
        /// "malformed", "missing-value", "too-large", "too-deep", "too-many" or "too-many-calls". It is there if one failed, and in a problem document too.
        /// Default: none.
        "errors" => errors: Option<String> = "errors",
        /// Which header fields of the parts' answers come back, and how several of them become one:
        /// "append" (one after the other), "first", "last", or { "of": "part" }. Cache-Control is always the
        /// strictest of the parts', and may not stand here. Default: none.
        "headers" => headers: Named<HeaderRule> = { "set-cookie": "append", "x-total-count": { "of": "orders" } },
        /// Whether the answer has an ETag over its body, by which If-None-Match is answered with 304. Default: where
        /// the answer may be stored.
        "etag" => etag: Option<bool> = true,
        /// Whether ?fields=user.name,orders picks from the answer; parts that are not asked for are not called,
        /// unless the whole is shaped. Default false.
        "fields" => fields: Option<bool> = true,
        /// How the answer is written as its parts arrive, to clients whose Accept asks for it: an event for each part,
        /// as lines of JSON ("ndjson", for application/x-ndjson) or as server-sent events ("sse", for
        /// text/event-stream). Default: in one piece for all.
        "stream" => stream: Option<OneOrMany<StreamForm>> = ["ndjson", "sse"],
        /// Other answers for other clients, from the same parts: the first whose `when` holds. Their steps
        /// of shaping come after those of the whole.
        "variants" => variants: Option<List<VariantSettings>> = [
            { "when": { "header.x-client": { "prefix": "mobile/" } }, "parts": ["user"], "pick": ["user.name"] }
        ],
        /// The largest answer; parts that do not fit, in the order of the file, fail. Default "8MiB".
        "max_size" => max_size: Option<Size> = "1MiB",
        /// The largest JSON body of the client's that is read, where parts ask for it. Default "64KiB".
        "max_body" => max_body: Option<Size> = "16KiB",
        /// Steps of shaping the whole that come after what is said of it here.
        "shape" => shape: Option<OneOrMany<ShapingSettings>> = [{ "flatten": ["user"] }, { "drop": ["id"] }],
    }
}

shape! {
    /// The answer for some clients.
    pub struct VariantSettings with shaping: ShapingSettings {
        /// What must hold for values of the request, by their names without braces.
        "when" => when: Named<ValueTest> = { "header.x-client": { "prefix": "mobile/" } },
        /// The parts that are in it. Others are called only if these ask for them. Default: all.
        "parts" => parts: Option<List<String>> = ["user", "unread"],
    }
}

shape! {
    /// Statuses of the whole. From 400 on, the answer is a problem document.
    pub struct StatusSettings {
        /// If all parts are there. From 200 to 299, default 200.
        "complete" => complete: Option<u32> = 201,
        /// If parts that are not required failed. Default 200.
        "partial" => partial: Option<u32> = 206,
        /// If all parts failed, none of which is required. Default: as `partial`.
        "all_failed" => all_failed: Option<u32> = 502,
        /// If a required part failed: by the status of its answer, `"404"` or `"4xx"`, which status the whole has, or
        /// "same"; the first row that fits. Default { "404": 404 }, in place of which comes what is written.
        "required" => required: Option<Named<StatusOfWhole>> = { "409": 409, "4xx": "same", "503": 503 },
        /// If a required part failed in another way. Default 502; 503 where its service takes no calls.
        "failed" => failed: Option<u32> = 500,
        /// If a required part was not there in time. Default 504.
        "timeout" => timeout: Option<u32> = 503,
    }
}
