//! XML as JSON: an element is an object of its attributes (`-name`), its children by their names (an array
//! where there are several of one name) and its text (`#text`); one that has nothing but text is a string. The
//! names of attributes and text are those of KrakenD's `xml` encoding; prefixes of names stay as written.
//!
//! Entities are the five of XML itself and those of characters. There are no others, and no document type is
//! taken: nothing is fetched, and nothing grows.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::json::{self, Bounds, Grouped, Unusable, push_string};

/// An element, so far.
#[derive(Default)]
struct Element {
    name: String,
    /// Attributes and children by their names, each name once, in the order in which they came.
    members: Grouped<'static, Value>,
    text: String,
}

enum Value {
    Text(String),
    Element(Element),
}

/// A document as JSON text, which is within the bounds.
pub fn to_json(text: &str, bounds: Bounds) -> Result<String, Unusable> {
    let mut reader = Reader::from_str(text);
    // The document itself is the first: its one child is the root.
    let mut open = vec![Element::default()];
    let mut elements = 0u32;
    loop {
        match reader.read_event().map_err(|_| Unusable::NotXml)? {
            Event::Start(start) => {
                let element = begun(&start, &mut elements, bounds)?;
                // As JSON it is nested as deep at least.
                if open.len() > bounds.depth as usize {
                    return Err(Unusable::TooDeep);
                }
                open.push(element);
            }
            Event::Empty(start) => add(&mut open, begun(&start, &mut elements, bounds)?)?,
            // The reader sees to it that it is that of the last one.
            Event::End(_) => {
                let element = open.pop().ok_or(Unusable::NotXml)?;
                add(&mut open, element)?;
            }
            Event::Text(text) => push(&mut open, &text.xml10_content())?,
            Event::CData(text) => push(&mut open, &text.xml10_content())?,
            Event::GeneralRef(entity) => match entity.resolve_char_ref().map_err(|_| Unusable::NotXml)? {
                Some(character) => push(&mut open, character.encode_utf8(&mut [0; 4]))?,
                None => push(&mut open, resolve_predefined_entity(&entity).ok_or(Unusable::NotXml)?)?,
            },
            Event::DocType(_) => return Err(Unusable::NotXml),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match open.as_slice() {
        [document] if !document.members.is_empty() => {
            let mut out = Vec::with_capacity(text.len());
            document.write(&mut out);
            // What is put together of JSON texts is text.
            let json = String::from_utf8(out).unwrap_or_default();
            json::value_of(&json, bounds)?;
            Ok(json)
        }
        _ => Err(Unusable::NotXml),
    }
}

fn begun(start: &BytesStart<'_>, elements: &mut u32, bounds: Bounds) -> Result<Element, Unusable> {
    let mut element = Element { name: start.name().as_ref().to_owned(), ..Element::default() };
    let mut count = || {
        *elements += 1;
        if *elements > bounds.elements { Err(Unusable::TooMany) } else { Ok(()) }
    };
    count()?;
    for attribute in start.attributes() {
        count()?;
        let attribute = attribute.map_err(|_| Unusable::NotXml)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Unusable::NotXml)?;
        element.members.add(format!("-{}", attribute.key.as_ref()).into(), Value::Text(value.into_owned()));
    }
    Ok(element)
}

/// Adds an element that has ended to the one around it; a document has one.
fn add(open: &mut [Element], element: Element) -> Result<(), Unusable> {
    let is_root = open.len() == 1;
    let around = open.last_mut().filter(|around| !is_root || around.members.is_empty()).ok_or(Unusable::NotXml)?;
    let name = element.name.clone();
    let text = element.text.trim_ascii();
    let value = if element.members.is_empty() { Value::Text(text.to_owned()) } else { Value::Element(element) };
    around.members.add(name.into(), value);
    Ok(())
}

/// Adds text to the element that is open; outside of the root there is none but white space.
fn push(open: &mut [Element], text: &str) -> Result<(), Unusable> {
    let is_document = open.len() == 1;
    let around = open.last_mut().filter(|_| !is_document || text.trim_ascii().is_empty());
    around.ok_or(Unusable::NotXml)?.text.push_str(text);
    Ok(())
}

impl Element {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        let text = self.text.trim_ascii();
        for (at, (name, values)) in self.members.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            push_string(out, name);
            out.push(b':');
            match values {
                [one] => one.write(out),
                several => {
                    for (at, value) in several.iter().enumerate() {
                        out.push(if at == 0 { b'[' } else { b',' });
                        value.write(out);
                    }
                    out.push(b']');
                }
            }
        }
        if !text.is_empty() {
            out.extend_from_slice(b",\"#text\":");
            push_string(out, text);
        }
        out.push(b'}');
    }
}

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => push_string(out, text),
            Self::Element(element) => element.write(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_what_is_in_it() {
        for (xml, expected) in [
            ("<a/>", r#"{"a":""}"#),
            ("<a></a>", r#"{"a":""}"#),
            ("<a> x y </a>", r#"{"a":"x y"}"#),
            ("<a>1.50</a>", r#"{"a":"1.50"}"#),
            ("<a b='1' c=\"x\"/>", r#"{"a":{"-b":"1","-c":"x"}}"#),
            ("<a b=\"1\">t</a>", r##"{"a":{"-b":"1","#text":"t"}}"##),
            ("<a><b>1</b><c/><b>2</b></a>", r#"{"a":{"b":["1","2"],"c":""}}"#),
            ("<a>x<b/>y</a>", r##"{"a":{"b":"","#text":"xy"}}"##),
            ("<a> <b> <c>1</c> </b> </a>", r#"{"a":{"b":{"c":"1"}}}"#),
            ("<?xml version='1.0' encoding='UTF-8'?>\n<!-- x --><a>é</a>\n<?pi?>", r#"{"a":"é"}"#),
            ("\u{feff}<a/>", r#"{"a":""}"#),
            ("<a>&lt;&amp;&gt;&quot;&apos;&#233;&#x1F600;</a>", "{\"a\":\"<&>\\\"'é😀\"}"),
            ("<a b='&lt;&#10;'/>", "{\"a\":{\"-b\":\"<\\n\"}}"),
            ("<a><![CDATA[<b>&amp;]]></a>", r#"{"a":"<b>&amp;"}"#),
            ("<s:a xmlns:s='urn:x'><s:b>1</s:b></s:a>", r#"{"s:a":{"-xmlns:s":"urn:x","s:b":"1"}}"#),
            ("<a>\"\\\u{1}</a>", "{\"a\":\"\\\"\\\\\\u0001\"}"),
        ] {
            assert_eq!(to_json(xml, Bounds::default()).as_deref(), Ok(expected), "of {xml}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for xml in [
            "",
            " ",
            "x",
            "{\"a\":1}",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a b='1' b='2'/>",
            "<a b=1/>",
            "<a>&nbsp;</a>",
            "<a b='&x;'/>",
            "<a>&#xD800;</a>",
            "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<!DOCTYPE a SYSTEM 'http://x/'><a/>",
            "<a><!-- </a>",
            "<a><![CDATA[</a>",
        ] {
            assert_eq!(to_json(xml, Bounds::default()), Err(Unusable::NotXml), "of {xml}");
        }
    }

    #[test]
    fn bounds_hold() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let bounds = Bounds { depth: 3, elements: 6 };
        for (xml, expected) in [
            (nested(3), Ok(())),
            (nested(4), Err(Unusable::TooDeep)),
            ("<a><b><c><d/></c></b></a>".to_owned(), Err(Unusable::TooDeep)),
            ("<a><b><c/><c/></b></a>".to_owned(), Err(Unusable::TooDeep)),
            ("<a><b/><b/><b/></a>".to_owned(), Ok(())),
            ("<a><b/><b/><b/><b/><b/></a>".to_owned(), Err(Unusable::TooMany)),
            ("<b/>".repeat(7), Err(Unusable::NotXml)),
        ] {
            assert_eq!(to_json(&xml, bounds).map(drop), expected, "of {xml}");
        }
        assert_eq!(to_json(&nested(100_000), Bounds::default()), Err(Unusable::TooDeep));
    }
}
