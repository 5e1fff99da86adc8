//! The answers to a batch: each as an element of one array, in the order of the list, as far as they fit.

use crate::answer::Response;
use crate::head::Headers;
use crate::json::{self, Bounds, Grouped};
use crate::policy::headers::Field;
use crate::refusal::Refusal;

/// An answer that was read whole.
pub struct Read {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Read {
    /// What stands in the place of an answer that does not fit.
    pub fn too_large(request_id: &str) -> Self {
        Self::refused(&Refusal::AnswerTooLarge, request_id)
    }

    /// What turns a request down that did not go its way.
    pub fn refused(refusal: &Refusal, request_id: &str) -> Self {
        let mut response = refusal.response(request_id);
        response.headers.push(("x-request-id".into(), request_id.to_owned()));
        let Response { status, headers, body } = response;
        Self { status, headers: lines(&headers), body }
    }
}

/// Header fields as lines.
pub fn lines(fields: &[Field]) -> Headers {
    Headers::from_text(fields.iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<String>())
}

/// The answers so far.
///
/// They are taken in the order of the list until they come to too much; what has no room any more is let go
/// of as soon as that is known. One that has no room even alone takes none of the others.
pub struct Answers {
    most: usize,
    slots: Vec<Option<Slot>>,
}

struct Slot {
    /// What counts of it.
    size: usize,
    element: Vec<u8>,
    /// The element in its place, where it does not fit.
    stand_in: Vec<u8>,
}

impl Answers {
    /// None yet of so many, which may have so many bytes in all.
    pub fn new(count: usize, most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Self { most, slots: std::iter::repeat_with(|| None).take(count).collect() }
    }

    /// Adds the answer to the entry at a place of the list.
    pub fn put(&mut self, at: usize, id: Option<&str>, read: Read, request_id: &str) {
        let element = element(id, &read);
        let stand_in = self::element(id, &Read::too_large(request_id));
        let slot = match element.len() {
            size if size > self.most => Slot { size: 0, element: stand_in, stand_in: Vec::new() },
            size => Slot { size, element, stand_in },
        };
        if let Some(free) = self.slots.get_mut(at) {
            *free = Some(slot);
        }
        self.let_go();
    }

    /// Lets go of what has no room after the ones before it; those that are still to come only take more.
    fn let_go(&mut self) {
        let mut sum = 0;
        for slot in self.slots.iter_mut().flatten() {
            sum += slot.size;
            if sum > self.most && !slot.stand_in.is_empty() {
                slot.element = std::mem::take(&mut slot.stand_in);
            }
        }
    }

    /// The array.
    pub fn into_body(self) -> Vec<u8> {
        let size: usize = self.slots.iter().flatten().map(|slot| slot.element.len() + 1).sum();
        let mut body = Vec::with_capacity(size + 2);
        body.push(b'[');
        for slot in self.slots.into_iter().flatten() {
            if body.len() > 1 {
                body.push(b',');
            }
            body.extend_from_slice(&slot.element);
        }
        body.push(b']');
        body
    }
}

/// An answer as an element of the array. A JSON body is spliced as it came; a text is a string, and what
/// is neither is one too, in base64.
fn element(id: Option<&str>, read: &Read) -> Vec<u8> {
    let mut out = Vec::with_capacity(read.body.len() + 256);
    out.push(b'{');
    if let Some(id) = id {
        out.extend_from_slice(b"\"id\":");
        out.extend_from_slice(id.as_bytes());
        out.push(b',');
    }
    out.extend_from_slice(format!("\"status\":{},\"headers\":", read.status).as_bytes());
    push_fields(&mut out, read);
    push_body(&mut out, read);
    out.push(b'}');
    out
}

/// The header fields as an object: several cookies as an array, several of another name joined.
fn push_fields(out: &mut Vec<u8>, read: &Read) {
    let mut fields = Grouped::default();
    for (name, value) in read.headers.iter() {
        // Of the body as it came, not as it stands here.
        if name == "content-length" && !read.body.is_empty() {
            continue;
        }
        fields.add(name.into(), value);
    }
    out.push(b'{');
    for (at, (name, values)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::push_string(out, name);
        out.push(b':');
        match values {
            values if values.len() > 1 && name == "set-cookie" => {
                let strings: Vec<String> = values.iter().map(|value| json::string(value)).collect();
                out.extend_from_slice(format!("[{}]", strings.join(",")).as_bytes());
            }
            values => json::push_string(out, &values.join(", ")),
        }
    }
    out.push(b'}');
}

fn push_body(out: &mut Vec<u8>, read: &Read) {
    if read.body.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"body\":");
    if read.headers.say_json()
        && let Ok(value) = json::value(&read.body, Bounds::default())
    {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    match std::str::from_utf8(&read.body) {
        Ok(text) => json::push_string(out, text),
        Err(_) => {
            out.push(b'"');
            push_base64(out, &read.body);
            out.extend_from_slice(b"\",\"encoding\":\"base64\"");
        }
    }
}

/// Appends bytes in base64 (RFC 4648, section 4).
fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| DIGITS.get(usize::try_from(bits & 63).unwrap_or_default()).copied().unwrap_or(b'=');
    out.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            // Three bytes are four digits, two are three, one is two.
            out.push(if place <= chunk.len() { digit(bits >> (18 - 6 * place)) } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &str, body: &[u8]) -> Read {
        Read { status: 200, headers: Headers::from_text(headers), body: body.to_vec() }
    }

    fn element_of(id: Option<&str>, headers: &str, body: &[u8]) -> String {
        String::from_utf8(element(id, &read(headers, body))).unwrap()
    }

    #[test]
    fn a_body_stands_as_what_it_is() {
        let json = "content-type:application/json; charset=utf-8\n";
        let problem = "content-type:Application/Problem+JSON\n";
        for (headers, body, expected) in [
            (
                json,
                &b" {\"a\": 1.50, \"a\":12345678901234567890} \n"[..],
                ",\"body\":{\"a\": 1.50, \"a\":12345678901234567890}",
            ),
            (problem, b"null", ",\"body\":null"),
            (json, b"{\"a\":", ",\"body\":\"{\\\"a\\\":\""),
            (json, b"", ""),
            ("content-type:text/html\n", b"[1]", ",\"body\":\"[1]\""),
            ("", "ä\n".as_bytes(), ",\"body\":\"ä\\n\""),
            ("", b"\xff", ",\"body\":\"/w==\",\"encoding\":\"base64\""),
            (json, b"\"\xff\"", ",\"body\":\"Iv8i\",\"encoding\":\"base64\""),
        ] {
            let got = element_of(None, headers, body);
            assert!(got.ends_with(&format!("}}{expected}}}")), "of {body:?}: {got}");
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            let mut out = Vec::new();
            push_base64(&mut out, bytes.as_bytes());
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn fields_of_one_name_stand_once() {
        let fields = "vary:a\nset-cookie:a=1; Path=/\ncontent-length:1\nvary:b\nset-cookie:b=\"2\"\n";
        assert_eq!(
            element_of(Some("1e400"), fields, b"x"),
            r#"{"id":1e400,"status":200,"headers":{"vary":"a, b","set-cookie":["a=1; Path=/","b=\"2\""]},"body":"x"}"#
        );
        assert_eq!(
            element_of(Some("null"), "set-cookie:a=1\ncontent-length:7\n", b""),
            r#"{"id":null,"status":200,"headers":{"set-cookie":"a=1","content-length":"7"}}"#
        );
    }

    /// Which of the answers, of these sizes and read in this order, are there in the end.
    fn those_that_fit(most: u32, sizes: &[usize], order: &[usize]) -> Vec<bool> {
        let mut answers = Answers::new(sizes.len(), most);
        for at in order {
            let around = element(None, &read("", b"x")).len() - 1;
            answers.put(*at, None, read("", &vec![b'x'; sizes[*at] - around]), "r");
            let held: usize = answers
                .slots
                .iter()
                .flatten()
                .filter(|slot| slot.element.ends_with(b"x\"}"))
                .map(|slot| slot.element.len())
                .sum();
            assert!(held <= most as usize, "{held} bytes are held");
        }
        let body: serde_json::Value = serde_json::from_slice(&answers.into_body()).unwrap();
        body.as_array().unwrap().iter().map(|element| element["status"] == 200).collect()
    }

    #[test]
    fn the_list_decides_what_fits_whichever_came_first() {
        let sizes = [500, 1001, 400, 200, 500];
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1], [3, 4, 1, 2, 0]] {
            assert_eq!(those_that_fit(1000, &sizes, &order), [true, false, true, false, false], "{order:?}");
        }
        assert_eq!(those_that_fit(1000, &[500, 500], &[1, 0]), [true, true]);
    }
}
