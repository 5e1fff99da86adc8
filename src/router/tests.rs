//! Which route requests belong to, and which routes are refused.

use super::*;
use crate::settings::Text;
use proptest::prelude::*;

fn only(methods: &[&str]) -> Methods {
    Methods::Only(methods.iter().map(|method| (*method).to_owned()).collect())
}

fn of_path(pattern: &str, methods: Methods) -> Matcher {
    Matcher {
        host: None,
        pattern: pattern.to_owned(),
        is_prefix: false,
        methods,
        conditions: Conditions::default(),
        slash: SlashAtEnd::Strict,
    }
}

fn condition(of: Kind, name: &str, test: ValueTest) -> Condition {
    Condition { of, name: name.to_owned(), test }
}

fn one_of(value: &str) -> ValueTest {
    ValueTest::OneOf(vec![value.to_owned()])
}

fn head(method: &str, url: &str, headers: &str) -> Head {
    Head::from_text(&format!("{method}\n{url}\n\nid\n1\n{headers}")).unwrap()
}

/// What the router finds, in words.
fn found<T: ToString>(router: &Router<T>, head: &Head) -> String {
    let host = HostPath::of(&head.authority);
    let path = NormalPath::parse(&head.raw_path).unwrap();
    match router.find(Asked { host: &host, path: &path, head }) {
        Found::Route(route, params) => {
            params.iter().fold(route.to_string(), |text, (key, value)| format!("{text} {key}={value}"))
        }
        Found::SamePath(path) => format!("as {path}"),
        Found::OtherPath(path) => format!("to {path}"),
        Found::OtherMethods(allow) => format!("allow {allow}"),
        Found::Nothing => "nothing".to_owned(),
    }
}

fn router_of(routes: &[(&str, Methods)]) -> Router<String> {
    let mut router = Router::default();
    for (pattern, methods) in routes {
        router.insert(of_path(pattern, methods.clone()), (*pattern).to_owned()).unwrap();
    }
    router
}

#[test]
fn a_path_and_a_method_belong_to_one_route() {
    let mut router = Router::default();
    for (pattern, methods, name) in [
        ("/", only(&["GET"]), "home"),
        ("/orders", Methods::Any, "orders"),
        ("/orders/{id}", only(&["GET", "PATCH"]), "order"),
        ("/orders/{number}", only(&["DELETE"]), "delete"),
        ("/orders/new", only(&["GET"]), "new"),
        ("/files/{*rest}", Methods::Any, "files"),
        ("/own-head", only(&["GET"]), "get"),
        ("/own-head", only(&["HEAD"]), "head"),
        ("/with/", only(&["GET"]), "with"),
        ("/orders/{id}:cancel", only(&["POST"]), "cancel"),
        ("/named", Methods::Any, "any"),
        ("/named", only(&["GET"]), "named"),
    ] {
        router.insert(of_path(pattern, methods), name).unwrap();
    }
    let table = [
        ("GET", "/", "home"),
        ("HEAD", "/", "home"),
        ("POST", "/", "allow GET, HEAD, OPTIONS"),
        ("BREW", "/orders", "orders"),
        ("GET", "/orders/7", "order id=7"),
        ("HEAD", "/orders/7", "order id=7"),
        ("DELETE", "/orders/7", "delete number=7"),
        ("get", "/orders/7", "allow DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("OPTIONS", "/orders/7", "allow DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("OPTIONS", "/orders", "orders"),
        ("OPTIONS", "/none/here", "nothing"),
        ("GET", "/orders/new", "new"),
        // What the more specific route does not take, the next one may.
        ("DELETE", "/orders/new", "delete number=new"),
        ("GET", "/orders/a%20b", "order id=a%20b"),
        ("GET", "/orders/", "nothing"),
        ("GET", "/orders/7/items", "nothing"),
        ("GET", "/Orders", "nothing"),
        ("GET", "/files/a/b", "files rest=a/b"),
        ("GET", "/files/", "files rest="),
        ("GET", "/files", "nothing"),
        ("GET", "/files/a/", "files rest=a/"),
        ("HEAD", "/own-head", "head"),
        ("GET", "/own-head", "get"),
        ("GET", "/with/", "with"),
        ("POST", "/orders/7:cancel", "cancel id=7"),
        ("POST", "/orders/7%3Acancel", "cancel id=7"),
        ("GET", "/orders/7:cancel", "order id=7:cancel"),
        ("GET", "/named", "named"),
        ("HEAD", "/named", "named"),
        ("POST", "/named", "any"),
    ];
    for (method, path, expected) in table {
        let head = head(method, &format!("http://h{path}"), "");
        assert_eq!(found(&router, &head), expected, "of {method} {path}");
    }
}

/// The rows of the table in the module's documentation, each against the next.
#[test]
fn precedence_is_that_of_the_table() {
    let h = |value| condition(Kind::Header, "x-h", one_of(value));
    let routes: Vec<(&str, &str, Methods, Vec<Condition>, &str)> = vec![
        ("", "/{*rest}", Methods::Any, vec![], "rest"),
        ("", "/a", Methods::Any, vec![], "path"),
        ("", "/a", only(&["GET"]), vec![], "method"),
        ("", "/a", only(&["GET"]), vec![condition(Kind::Cookie, "c", one_of("1"))], "cookie"),
        ("", "/a", only(&["GET"]), vec![condition(Kind::Query, "q", one_of("1"))], "query"),
        ("", "/a", only(&["GET"]), vec![h("1")], "header"),
        ("", "/a", only(&["GET"]), vec![h("1"), condition(Kind::Header, "x-i", ValueTest::Present)], "two headers"),
        ("", "/a", Methods::Any, vec![h("2")], "header of every method"),
        ("", "/{a}", Methods::Any, vec![h("1"), condition(Kind::Query, "q", one_of("1"))], "name"),
        ("*.example.com", "/{*rest}", Methods::Any, vec![], "wild"),
        ("{t}.example.com", "/{*rest}", Methods::Any, vec![], "label"),
        ("*.b.example.com", "/{*rest}", Methods::Any, vec![], "longer wild"),
        ("api.example.com", "/b", Methods::Any, vec![], "exact"),
        ("", "/same", only(&["GET"]), vec![h("1")], "first in the file"),
        ("", "/same", only(&["GET"]), vec![condition(Kind::Header, "x-i", one_of("1"))], "second in the file"),
    ];
    let mut router = Router::default();
    for (host, pattern, methods, conditions, name) in routes {
        let host = Some(host).filter(|host| !host.is_empty()).map(|host| HostPattern::read(host).unwrap());
        let conditions = Conditions::all_of(conditions);
        router.insert(Matcher { host, conditions, ..of_path(pattern, methods) }, name).unwrap();
    }
    let table = [
        ("GET", "http://h/b/c", "", "rest rest=b/c"),
        ("GET", "http://h/z", "x-h:1\n", "rest rest=z"),
        ("GET", "http://h/z?q=1", "x-h:1\n", "name a=z"),
        ("POST", "http://h/a", "", "path"),
        ("GET", "http://h/a", "", "method"),
        ("GET", "http://h/a", "cookie:b=2; c=1\n", "cookie"),
        ("GET", "http://h/a?q=1", "cookie:c=1\n", "query"),
        ("GET", "http://h/a?q=1", "cookie:c=1\nx-h:1\n", "header"),
        ("GET", "http://h/a?q=1", "x-h:1\nx-i:\n", "two headers"),
        ("GET", "http://h/a", "x-h:2\n", "method"),
        ("POST", "http://h/a", "x-h:2\n", "header of every method"),
        ("GET", "http://h/same", "x-i:1\nx-h:1\n", "first in the file"),
        ("GET", "http://h/same", "x-i:1\n", "second in the file"),
        // The host counts more than all else; a route that does not take the path leaves it to the next.
        ("GET", "http://x.example.com/a", "x-h:1\nx-i:\n", "label t=x rest=a"),
        ("GET", "http://X.EXAMPLE.com:8080/a", "", "label t=x rest=a"),
        ("GET", "http://x.y.example.com/a", "", "wild =y/x rest=a"),
        ("GET", "http://a.b.example.com/a", "", "longer wild =a rest=a"),
        ("GET", "http://b.example.com/a", "", "label t=b rest=a"),
        ("GET", "http://example.com/a", "", "method"),
        ("GET", "http://api.example.com/b", "", "exact"),
        ("GET", "http://api.example.com/c", "", "label t=api rest=c"),
    ];
    for (method, url, headers, expected) in table {
        assert_eq!(found(&router, &head(method, url, headers)), expected, "of {method} {url} {headers:?}");
    }
}

#[test]
fn fixed_text_goes_before_a_name_and_a_name_before_a_rest() {
    let router = router_of(
        &[
            "/{a}/{b}",
            "/admin/{*rest}",
            "/admin/users/{id}",
            "/admin/users/{id}/{*rest}",
            "/{*rest}",
            "/{x}",
            "/{file}.png",
            "/a{file}.png",
            "/orders/{id}",
            "/orders/{*rest}",
        ]
        .map(|pattern| (pattern, Methods::Any)),
    );
    for (path, expected) in [
        ("/admin", "/{x}"),
        ("/admin/x", "/admin/{*rest}"),
        ("/admin/users", "/admin/{*rest}"),
        ("/admin/users/7", "/admin/users/{id}"),
        ("/admin/users/7/x/y", "/admin/users/{id}/{*rest}"),
        ("/other/x", "/{a}/{b}"),
        ("/other/x/y", "/{*rest}"),
        ("/logo.png", "/{file}.png"),
        ("/ab.png", "/a{file}.png"),
        ("/logo.jpg", "/{x}"),
        ("/orders/7", "/orders/{id}"),
        ("/orders/7/items", "/orders/{*rest}"),
        ("/orders/", "/orders/{*rest}"),
    ] {
        let found = found(&router, &head("GET", &format!("http://h{path}"), ""));
        assert_eq!(found.split(' ').next(), Some(expected), "of {path}");
    }
}

#[test]
fn a_slash_at_the_end_leads_to_no_wider_route() {
    let patterns = ["/admin", "/admin/{*rest}", "/users/me", "/users/{id}", "/t/{a}/{*rest}", "/t/{a}", "/{*rest}"];
    let router = router_of(&patterns.map(|pattern| (pattern, Methods::Any)));
    for (path, expected) in [
        ("/admin", "/admin"),
        ("/admin/", "/admin/{*rest} rest="),
        ("/admin/x/", "/admin/{*rest} rest=x/"),
        ("/users/me", "/users/me"),
        ("/users/me/", "nothing"),
        ("/users/7/", "nothing"),
        ("/users/", "/{*rest} rest=users/"),
        ("/t/1/", "/t/{a}/{*rest} a=1 rest="),
        ("/other/", "/{*rest} rest=other/"),
        ("/", "/{*rest} rest="),
    ] {
        assert_eq!(found(&router, &head("GET", &format!("http://h{path}"), "")), expected, "of {path}");
    }
}

#[test]
fn a_slash_at_the_end_is_as_the_route_says() {
    let mut router = Router::default();
    for (pattern, slash) in [
        ("/strict", SlashAtEnd::Strict),
        ("/redirect", SlashAtEnd::Redirect),
        ("/ignore/{id}", SlashAtEnd::Ignore),
        ("/with-redirect/", SlashAtEnd::Redirect),
        ("/with-ignore/", SlashAtEnd::Ignore),
        ("/files/{*rest}", SlashAtEnd::Redirect),
        ("/{*rest}", SlashAtEnd::Strict),
    ] {
        router.insert(Matcher { slash, ..of_path(pattern, Methods::Any) }, pattern).unwrap();
    }
    for (path, expected) in [
        ("/strict", "/strict"),
        ("/strict/", "nothing"),
        ("/redirect", "/redirect"),
        ("/redirect/", "to /redirect"),
        ("/ignore/7", "/ignore/{id} id=7"),
        ("/ignore/7/", "as /ignore/7"),
        ("/with-redirect", "to /with-redirect/"),
        ("/with-ignore", "as /with-ignore/"),
        ("/files", "to /files/"),
        ("/files/a/", "/files/{*rest} rest=a/"),
        ("/other/", "/{*rest} rest=other/"),
        ("/other", "/{*rest} rest=other"),
        ("/", "/{*rest} rest="),
    ] {
        assert_eq!(found(&router, &head("GET", &format!("http://h{path}"), "")), expected, "of {path}");
    }
}

#[test]
fn a_path_goes_before_a_prefix_that_is_the_same() {
    let mut router = Router::default();
    let prefix = |pattern, methods| Matcher { is_prefix: true, ..of_path(pattern, methods) };
    router.insert(prefix("/a", only(&["GET", "HEAD", "PUT"])), "prefix").unwrap();
    router.insert(of_path("/a/{*rest}", Methods::Any), "below").unwrap();
    router.insert(of_path("/a", only(&["GET"])), "path").unwrap();
    for (method, path, expected) in [
        ("GET", "/a", "path"),
        ("HEAD", "/a", "path"),
        ("PUT", "/a", "prefix"),
        ("GET", "/a/", "below rest="),
        ("GET", "/a/b", "below rest=b"),
    ] {
        assert_eq!(found(&router, &head(method, &format!("http://h{path}"), "")), expected, "of {method} {path}");
    }
    assert_eq!(router.overlaps(), []);
    router.insert(prefix("/a", only(&["PUT"])), "again").unwrap();
    assert_eq!(router.overlaps().len(), 1);
}

#[test]
fn routes_that_get_nothing_are_told() {
    let h = |test| vec![condition(Kind::Header, "x", test)];
    let prefix = || ValueTest::Prefix("2".to_owned());
    type Overlapping = Option<(Option<&'static str>, bool)>;
    type Said = (&'static str, Methods, Vec<Condition>);
    let table: [(Said, Said, Overlapping); 12] = [
        (("/a", Methods::Any, vec![]), ("/a", Methods::Any, vec![]), Some((None, true))),
        (("/a/{x}", Methods::Any, vec![]), ("/a/{y}", Methods::Any, vec![]), Some((None, true))),
        (("/a", only(&["GET"]), vec![]), ("/a", only(&["POST", "GET"]), vec![]), Some((Some("GET"), true))),
        (("/a", only(&["GET"]), vec![]), ("/a", Methods::Any, vec![]), None),
        (("/a", only(&["GET"]), vec![]), ("/a", only(&["HEAD"]), vec![]), None),
        (("/a", only(&["GET"]), vec![]), ("/b", only(&["GET"]), vec![]), None),
        (("/a/{x}", Methods::Any, vec![]), ("/a/{*x}", Methods::Any, vec![]), None),
        (("/a", only(&["GET"]), h(one_of("2"))), ("/a", only(&["GET"]), vec![]), None),
        (("/a", only(&["GET"]), h(one_of("2"))), ("/a", only(&["GET"]), h(one_of("2"))), Some((Some("GET"), true))),
        (("/a", only(&["GET"]), h(prefix())), ("/a", only(&["GET"]), h(one_of("2"))), Some((Some("GET"), false))),
        (("/a", only(&["GET"]), h(one_of("2"))), ("/a", only(&["GET"]), h(prefix())), None),
        (("/a", only(&["GET"]), h(prefix())), ("/a", only(&["GET", "PUT"]), h(one_of("2"))), None),
    ];
    for ((pattern, methods, conditions), (other, other_methods, other_conditions), expected) in table {
        let case = format!("{pattern} {methods:?} {conditions:?} and {other} {other_methods:?} {other_conditions:?}");
        let mut router = Router::default();
        let conditions = Conditions::all_of(conditions);
        router.insert(Matcher { conditions, ..of_path(pattern, methods) }, ()).unwrap();
        let conditions = Conditions::all_of(other_conditions);
        router.insert(Matcher { conditions, ..of_path(other, other_methods) }, ()).unwrap();
        let overlaps = router.overlaps();
        let got = overlaps.first().map(|overlap| (overlap.method.as_deref(), overlap.is_same));
        assert_eq!(got, expected, "of {case}");
        assert!(overlaps.iter().all(|overlap| (overlap.later, overlap.earlier) == (1, 0)), "of {case}");
    }
}

#[test]
fn a_pattern_that_nothing_reaches_is_refused() {
    for pattern in [
        "",
        "orders",
        "/a//b",
        "/a/../b",
        "/%61",
        "/a b",
        "/ä",
        "/a%2Fb",
        "/{a}/{a}",
        "/{",
        "/{}",
        "/{a b}",
        "/v=1",
        "/a;b",
        "/a%2Bb",
        "/{*rest}/more",
        "/a/*",
        "/a/:id",
        "/:id/x",
        "/a/{**b}",
    ] {
        assert!(Router::default().insert(of_path(pattern, Methods::Any), ()).is_err(), "of {pattern:?}");
    }
    let host = Some(HostPattern::read("{a}.example.com").unwrap());
    assert!(Router::default().insert(Matcher { host, ..of_path("/{a}", Methods::Any) }, ()).is_err());
}

/// Whether a pattern takes a path, by the definition and not by a tree.
fn takes(pattern: &str, path: &str) -> bool {
    let (mut segments, mut wanted) = (path.split('/'), pattern.split('/'));
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return true,
            (Some(wanted), Some(_)) if wanted.starts_with("{*") => return true,
            (Some(wanted), Some(segment)) => {
                let fits = match (wanted.split_once('{'), wanted.split_once('}')) {
                    (Some((before, _)), Some((_, after))) => {
                        segment.len() > before.len() + after.len()
                            && segment.starts_with(before)
                            && segment.ends_with(after)
                    }
                    _ => wanted == segment,
                };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The trees, the hosts and the order of candidates agree with the definition.
    #[test]
    fn the_router_agrees_with_the_definition(
        routes in proptest::collection::vec((
            prop_oneof![Just(""), Just("a.x"), Just("{t}.x"), Just("*.x"), Just("*.b.x")],
            "(/(a|b|ab|\\{p\\}|a\\{p\\}|\\{p\\}b)){1,3}(/\\{\\*r\\})?",
            prop_oneof![Just(Methods::Any), Just(only(&["GET"])), Just(only(&["HEAD", "PUT"]))],
            0..3usize,
        ), 1..10),
        host in prop_oneof![Just("a.x"), Just("b.x"), Just("a.b.x"), Just("x"), Just("h")],
        path in "(/(a|b|ab|aab|abb|c)){1,4}",
        method in prop_oneof![Just("GET"), Just("HEAD"), Just("PUT"), Just("POST")],
        headers in 0..3usize,
    ) {
        let names = ["x-0", "x-1"];
        let mut router = Router::default();
        let mut known = Vec::new();
        for (host, pattern, methods, conditions) in routes {
            let names = names.iter().take(conditions);
            let conditions = names.map(|name| condition(Kind::Header, name, ValueTest::Present)).collect::<Vec<_>>();
            let weight = conditions.len();
            let parsed = Some(host).filter(|host| !host.is_empty()).map(|host| HostPattern::read(host).unwrap());
            let conditions = Conditions::all_of(conditions);
            // One name can stand twice in these patterns, which is refused.
            let matcher = Matcher { host: parsed, conditions, ..of_path(&pattern, methods.clone()) };
            if let Ok(number) = router.insert(matcher, known.len()) {
                prop_assert_eq!(number, known.len());
                known.push((host, pattern, methods, weight));
            }
        }
        let sent: String = names.iter().take(headers).map(|name| format!("{name}:1\n")).collect();
        let head = head(method, &format!("http://{host}{path}"), &sent);
        let has_host = |pattern: &str| match pattern.split_once('.') {
            None => true,
            Some(("*", after)) => host.strip_suffix(after).is_some_and(|before| before.len() > 1 && before.ends_with('.')),
            Some(("{t}", after)) => host.split_once('.').is_some_and(|(_, rest)| rest == after),
            Some(_) => pattern == host,
        };
        let host_says = |pattern: &str| match pattern {
            "" => (0, 0),
            wild if wild.starts_with('*') => (1, wild.len()),
            label if label.starts_with('{') => (2, 0),
            _ => (3, 0),
        };
        let expected = known
            .iter()
            .enumerate()
            .filter(|(_, (host, pattern, methods, weight))| {
                has_host(host) && takes(pattern, &path) && methods.rank(method) != Rank::Other && *weight <= headers
            })
            .max_by(|(at, one), (other_at, other)| {
                host_says(one.0)
                    .cmp(&host_says(other.0))
                    .then_with(|| by_specificity(&one.1, &other.1))
                    .then_with(|| other.2.rank(method).cmp(&one.2.rank(method)))
                    .then_with(|| one.3.cmp(&other.3))
                    .then_with(|| other_at.cmp(at))
            });
        let host = HostPath::of(host);
        let path = NormalPath::parse(&path).unwrap();
        let found = match router.find(Asked { host: &host, path: &path, head: &head }) {
            Found::Route(number, _) => Some(*number),
            _ => None,
        };
        prop_assert_eq!(found, expected.map(|(at, _)| at));
    }
}
