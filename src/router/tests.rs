//! Which route requests belong to, and which routes are refused.

use super::*;

fn only(methods: &[&str]) -> Methods {
    Methods::Only(methods.iter().map(|method| (*method).to_owned()).collect())
}

fn sample() -> Router<&'static str> {
    let mut router = Router::default();
    for (pattern, methods, name) in [
        ("/", only(&["GET"]), "home"),
        ("/orders", Methods::Any, "orders"),
        ("/orders/{id}", only(&["GET", "PATCH"]), "order"),
        ("/orders/{id}", only(&["DELETE"]), "delete"),
        ("/orders/new", only(&["GET"]), "new"),
        ("/files/{*rest}", Methods::Any, "files"),
        ("/own-head", only(&["GET"]), "get"),
        ("/own-head", only(&["HEAD"]), "head"),
        ("/with/", only(&["GET"]), "with"),
        ("/orders/{id}:cancel", only(&["POST"]), "cancel"),
    ] {
        router.insert(pattern, methods, name).unwrap();
    }
    router
}

#[test]
fn a_path_and_a_method_belong_to_one_route() {
    let router = sample();
    let table = [
        ("GET", "/", "home"),
        ("HEAD", "/", "home"),
        ("POST", "/", "allow GET, HEAD"),
        ("BREW", "/orders", "orders"),
        ("GET", "/orders/7", "order id=7"),
        ("HEAD", "/orders/7", "order id=7"),
        ("DELETE", "/orders/7", "delete id=7"),
        ("get", "/orders/7", "allow DELETE, GET, HEAD, PATCH"),
        ("GET", "/orders/new", "new"),
        ("GET", "/orders/a%20b", "order id=a%20b"),
        ("GET", "/orders/", "nothing"),
        ("GET", "/orders/7/items", "nothing"),
        ("GET", "/Orders", "nothing"),
        ("GET", "/files/a/b", "files rest=a/b"),
        ("GET", "/files/", "files"),
        ("GET", "/files", "nothing"),
        ("GET", "/files/a/", "files rest=a/"),
        ("HEAD", "/own-head", "head"),
        ("GET", "/own-head", "get"),
        ("GET", "/with/", "with"),
        ("POST", "/orders/7:cancel", "cancel id=7"),
        ("POST", "/orders/7%3Acancel", "cancel id=7"),
    ];
    for (method, path, expected) in table {
        let path = NormalPath::parse(path).unwrap();
        let found = match router.find(&path, method) {
            Found::Route(name, params) => {
                params.0.iter().fold((*name).to_owned(), |text, (key, value)| format!("{text} {key}={value}"))
            }
            Found::OtherMethods(allow) => format!("allow {allow}"),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(found, expected, "of {method} {path}");
    }
}

#[test]
fn fixed_text_goes_before_a_name_and_a_name_before_a_rest() {
    let mut router = Router::default();
    for pattern in [
        "/{a}/{b}",
        "/admin/{*rest}",
        "/admin/users/{id}",
        "/admin/users/{id}/{*rest}",
        "/{*rest}",
        "/{x}",
        "/{file}.png",
        "/orders/{id}",
        "/orders/{*rest}",
    ] {
        router.insert(pattern, Methods::Any, pattern).unwrap();
    }
    for (path, expected) in [
        ("/admin", "/{x}"),
        ("/admin/x", "/admin/{*rest}"),
        ("/admin/users", "/admin/{*rest}"),
        ("/admin/users/7", "/admin/users/{id}"),
        ("/admin/users/7/x/y", "/admin/users/{id}/{*rest}"),
        ("/other/x", "/{a}/{b}"),
        ("/other/x/y", "/{*rest}"),
        ("/logo.png", "/{file}.png"),
        ("/logo.jpg", "/{x}"),
        ("/orders/7", "/orders/{id}"),
        ("/orders/7/items", "/orders/{*rest}"),
        ("/orders/", "/orders/{*rest}"),
    ] {
        let path = NormalPath::parse(path).unwrap();
        let found = match router.find(&path, "GET") {
            Found::Route(pattern, _) => Some(*pattern),
            _ => None,
        };
        assert_eq!(found, Some(expected), "of {path}");
    }
}

#[test]
fn a_slash_at_the_end_leads_to_no_wider_route() {
    let mut router = Router::default();
    for pattern in ["/admin", "/admin/{*rest}", "/users/me", "/users/{id}", "/t/{a}/{*rest}", "/t/{a}", "/{*rest}"] {
        router.insert(pattern, Methods::Any, pattern).unwrap();
    }
    for (path, expected) in [
        ("/admin", Some("/admin")),
        ("/admin/", Some("/admin/{*rest}")),
        ("/admin/x/", Some("/admin/{*rest}")),
        ("/users/me", Some("/users/me")),
        ("/users/me/", None),
        ("/users/7/", None),
        ("/users/", Some("/{*rest}")),
        ("/t/1/", Some("/t/{a}/{*rest}")),
        ("/other/", Some("/{*rest}")),
        ("/", Some("/{*rest}")),
    ] {
        let path = NormalPath::parse(path).unwrap();
        let found = match router.find(&path, "GET") {
            Found::Route(pattern, _) => Some(*pattern),
            _ => None,
        };
        assert_eq!(found, expected, "of {path}");
    }
}

#[test]
fn routes_that_cannot_be_told_apart_are_refused() {
    let table = [
        ("/orders/{id}", only(&["PATCH"]), Unroutable::Method("PATCH".into())),
        ("/orders/{id}", Methods::Any, Unroutable::Method("GET".into())),
        ("/orders", Methods::Any, Unroutable::Method("every method".into())),
        ("/orders/{other}", only(&["GET"]), Unroutable::Pattern("/orders/{id}".into())),
        ("/files/{*all}", Methods::Any, Unroutable::Pattern("/files/{*rest}".into())),
    ];
    for (pattern, methods, expected) in table {
        assert_eq!(sample().insert(pattern, methods, "again"), Err(expected), "of {pattern}");
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
        let refused = Router::default().insert(pattern, Methods::Any, ());
        assert!(matches!(refused, Err(Unroutable::Malformed(_))), "of {pattern:?}: {refused:?}");
    }
}

/// Whether a pattern takes a path, by the definition and not by a tree.
fn takes(pattern: &str, path: &str) -> bool {
    let (mut segments, mut rest) = (path.split('/'), pattern.split('/'));
    loop {
        match (rest.next(), segments.next()) {
            (None, None) => return true,
            (Some(wanted), Some(_)) if wanted.starts_with("{*") => return true,
            (Some(wanted), Some(segment)) if wanted == segment => {}
            (Some(wanted), Some(segment)) if wanted.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}

proptest::proptest! {
    #[test]
    fn the_trees_agree_with_the_definition(
        patterns in proptest::collection::vec("(/(a|b|\\{x\\})){1,3}(/\\{\\*r\\})?", 1..8),
        path in "(/(a|b|c)){1,4}",
    ) {
        let mut router = Router::default();
        let mut known: Vec<String> = Vec::new();
        for pattern in patterns {
            if router.insert(&pattern, Methods::Any, pattern.clone()).is_ok() {
                known.push(pattern);
            }
        }
        let takers = known.iter().filter(|pattern| takes(pattern, &path));
        let expected = takers.max_by(|one, other| specificity(one).cmp(specificity(other)));
        let path = NormalPath::parse(&path).unwrap();
        let found = match router.find(&path, "GET") {
            Found::Route(pattern, _) => Some(pattern),
            _ => None,
        };
        proptest::prop_assert_eq!(found, expected);
    }
}
