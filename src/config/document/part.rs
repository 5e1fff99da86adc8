//! A part of an aggregate, as it is written.

use crate::aggregate::words::{Empty, Format, Statuses};
use crate::config::target::Target;
use crate::json::path::Path;
use crate::resilience::retry::RetrySettings;
use crate::router::ValueTest;
use crate::settings::{Named, Node, OneOrMany, OrNone, Size, TimeLimit, shape};
use crate::shaping::ShapingSettings;
use crate::template::{Source, TextTemplate};

shape! {
    /// A part of an aggregate: a call, and what of its answer becomes a member of the whole. Exactly one of
    /// `get`, `post`, `put`, `patch` and `delete`. It is made as soon as the parts that it asks for are there.
    pub struct PartSettings with shaping: ShapingSettings {
        /// The service, and the path and query there, which are got. They take {name} of the route's path
        /// ({rest} for {*rest}), {jwt.NAME}, a claim of the caller's token, {query.NAME}, {header.NAME},
        /// {cookie.NAME}, {body.PATH} of the client's JSON body, {parts.NAME.PATH} of another part's value and
        /// {reply.NAME.FIELD}, a header field of its answer. A value of this text that is missing fails the request
        /// if it is the client's, and else the part; one that may be missing goes under `query`.
        "get" => get: Option<Target> = "order-svc:/orders?user={jwt.sub}",
        /// The same for a POST. What writes is never made again, nor made one with an equal call.
        "post" => post: Option<Target> = "order-svc:/orders",
        /// The same for a PUT.
        "put" => put: Option<Target> = "cart-svc:/carts/{jwt.sub}",
        /// The same for a PATCH.
        "patch" => patch: Option<Target> = "user-svc:/users/{jwt.sub}",
        /// The same for a DELETE.
        "delete" => delete: Option<Target> = "cart-svc:/carts/{jwt.sub}",
        /// Query parameters, beside those of the path. One whose value is missing is not sent.
        "query" => query: Named<TextTemplate> = { "ids": "{parts.orders.items.product_id}", "lang": "{header.accept-language}" },
        /// Header fields of the call. One whose value is missing is not sent.
        "headers" => headers: Named<TextTemplate> = { "x-user": "{jwt.sub}" },
        /// Header fields of the client's that go along as they are. Default: none.
        "client_headers" => client_headers: Option<OneOrMany<String>> = ["accept-language", "authorization"],
        /// Parameters of the client's query that go along as they are, all of a name. Default: none.
        "client_query" => client_query: Option<OneOrMany<String>> = ["q", "page"],
        /// The JSON body of the call; "{body}" is the client's as it is. A string in it that is one {value} becomes the value, of its kind; a
        /// member whose value is missing is left out. Default: none.
        "body" => body: Option<Node> = { "user": "{jwt.sub}", "items": "{body.items}" },
        /// When the part is made: what must hold for values, by their names without braces, as for `header` of a
        /// route; an empty value is none. A part that is not made is left out, and so are those that cannot be asked without it;
        /// the whole is still complete. Default: always.
        "when" => when: Named<ValueTest> = { "parts.user.plan": ["pro", "team"], "query.details": true },
        /// An array, for each of whose elements the call is made, with {item.PATH} in it. The part is the array of
        /// the answers, in order; an element that fails has the `else`, or with `optional` is null. Equal calls
        /// are made once.
        "for_each" => for_each: Option<Source> = "{parts.orders.items}",
        /// The most elements of `for_each`; with more the part fails. Default 20.
        "most" => most: Option<u32> = 50,
        /// How many calls of `for_each` run at once. Default, and at most, 6.
        "parallel" => parallel: Option<u32> = 3,
        /// Makes the part the array of `for_each` itself, whose elements have their answers under this name.
        "into" => into: Option<String> = "product",
        /// Makes one call for all elements of `for_each`, with {keys} in it, and spreads its answer back to them.
        /// An element that it has nothing for is null, or with `into` without its member, and has not failed.
        "batch" => batch: Option<SpreadSettings> = { "by": "product_id", "match": "id" },
        /// Which statuses are no failure: "2xx", or numbers. Default "2xx".
        "success" => success: Option<OneOrMany<Statuses>> = ["2xx", 404],
        /// Statuses after which the part is null, and no failure. Default: none.
        "null_on" => null_on: Option<OneOrMany<u32>> = [404],
        /// What an empty body is: "null", as 204 is (the default), or a "failure".
        "empty" => empty: Option<Empty> = "failure",
        /// What the body is: "json" (the default), "text" (it becomes a string), "form" (an object of strings, or
        /// of arrays where a name stands several times), or "xml": an element is an object of its attributes
        /// ("-name"), its children by name (arrays where there are several) and its text ("#text"); one that has
        /// nothing but text is a string. Of what is not JSON the service is asked for any type.
        "format" => format: Option<Format> = "text",
        /// What stands in for the part when it fails: any JSON value. Without it and `optional` the part is
        /// required, and the whole fails with it.
        "else" => stand_in: Option<Node> = [],
        /// Whether the part is left out when it fails. Default false.
        "optional" => optional: Option<bool> = true,
        /// How long until the whole answer is read. Default: the service's.
        "timeout" => timeout: Option<TimeLimit> = "250ms",
        /// Whether and how the call is tried again, for GET; null is never. Default: as the service says.
        "retry" => retry: Option<OrNone<RetrySettings>> = { "attempts": 3 },
        /// The largest answer that is read. Default: the service's.
        "max_answer" => max_answer: Option<Size> = "64KiB",
        /// The deepest nesting of the answer. From 1 to 512, default 128.
        "max_depth" => max_depth: Option<u32> = 16,
        /// The most elements and members in the answer, in all. Default 200000.
        "max_elements" => max_elements: Option<u32> = 1000,
        /// Whether the members of the part (or, in an array, its elements) stand in the whole themselves, in
        /// the place of one member with the part's name. Default false.
        "spread" => spread: Option<bool> = true,
        /// Whether the part is for other parts alone, and not in the whole. Default false.
        "hidden" => hidden: Option<bool> = true,
        /// Steps of shaping that come after what is said of it here, each with keys such as `at`, `pick`, `move`.
        "shape" => shape: Option<OneOrMany<ShapingSettings>> = [{ "at": "items" }, { "pick": ["id", "name"] }],
    }
}

shape! {
    /// One call for all elements, and how its answer is spread back.
    pub struct SpreadSettings {
        /// The key of an element: where it is in it. {keys} of the call are all of them, each once.
        "by" => by: Path = "product_id",
        /// Where the key is in an element of the answer. An answer that is an object has the keys as names.
        "match" => matching: Option<Path> = "id",
        /// The most keys of one call; more make several calls. Default: all.
        "size" => size: Option<u32> = 50,
    }
}
