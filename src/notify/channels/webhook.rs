//! A body of the user's own making.
//!
//! What a template writes is escaped for the kind of the body, so that text of a log stays text:
//! for the inside of a JSON string (RFC 8259, section 7), for HTML and XML, or for a form (the URL
//! standard, "application/x-www-form-urlencoded"). The filters `tojson` and `safe` say that it is
//! escaped already.

use std::fmt::Write;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Output, State, Value, escape_formatter};

use super::web::Body;
use crate::notify::content::Message;
use crate::notify::failure::Failure;

/// What a body is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Markup,
    Form,
    Other,
}

/// What the template makes of the message. Where it is broken, or its JSON is: the default, which
/// says the same.
pub(super) fn body(message: &Message, template: &str, content_type: &str) -> Result<Body, Failure> {
    let kind = Kind::of(content_type);
    let text = message.render_with(kind.environment(), template).filter(|text| {
        let is_right =
            kind != Kind::Json || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if !is_right {
            log::warn!("the body of a webhook is no JSON, so the default is sent");
        }
        is_right
    });
    match text {
        Some(text) => Ok(Body { content_type: content_type.to_owned(), bytes: text.into_bytes() }),
        None => Body::json(message),
    }
}

impl Kind {
    /// Of a media type: `application/problem+json; charset=utf-8`.
    fn of(content_type: &str) -> Self {
        let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is = |ending: &str| name.ends_with(ending);
        match name.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            _ if is("/json") || is("+json") => Self::Json,
            _ if is("/html") || is("/xml") || is("+xml") => Self::Markup,
            _ => Self::Other,
        }
    }

    fn environment(self) -> Environment<'static> {
        let mut environment = Environment::new();
        match self {
            Self::Json => environment.set_formatter(write_into_json),
            Self::Form => environment.set_formatter(write_into_form),
            Self::Markup => environment.set_auto_escape_callback(|_| AutoEscape::Html),
            Self::Other => {}
        }
        environment
    }
}

fn write_into_json(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) if !value.is_safe() => {
            let quoted = serde_json::Value::from(text).to_string();
            // Without the quotation marks, which the template has.
            out.write_str(&quoted[1..quoted.len() - 1]).map_err(Into::into)
        }
        (ValueKind::None, _) => out.write_str("null").map_err(Into::into),
        _ => escape_formatter(out, state, value),
    }
}

fn write_into_form(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.is_safe() || value.is_undefined() {
        return escape_formatter(out, state, value);
    }
    for byte in value.to_string().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.write_char(char::from(byte))?;
            }
            b' ' => out.write_char('+')?,
            other => write!(out, "%{other:02X}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str, content_type: &str) -> String {
        let message = Message {
            key: "k".to_owned(),
            title: "\"a\\b\" <b> & c=1, é {{ 7 }}".to_owned(),
            text: "one\ntwo\n".to_owned(),
            notifications: Vec::new(),
            sent_at: chrono::DateTime::UNIX_EPOCH,
            is_own_title: false,
            is_own_text: false,
        };
        String::from_utf8(body(&message, template, content_type).unwrap().bytes).unwrap()
    }

    #[test]
    fn text_stays_text_in_each_kind_of_body() {
        assert_eq!(
            rendered(r#"{"a": "{{ title }}{{ text }}", "b": {{ title|tojson }}}"#, "text/json"),
            r#"{"a": "\"a\\b\" <b> & c=1, é {{ 7 }}one\ntwo\n", "b": "\"a\\b\" \u003cb\u003e \u0026 c=1, é {{ 7 }}"}"#
        );
        assert_eq!(
            rendered("<p>{{ title }}</p>", "text/html; charset=utf-8"),
            "<p>&quot;a\\b&quot; &lt;b&gt; &amp; c=1, é {{ 7 }}</p>"
        );
        assert_eq!(
            rendered("to=ops&text={{ title }}", "application/x-www-form-urlencoded"),
            "to=ops&text=%22a%5Cb%22+%3Cb%3E+%26+c%3D1%2C+%C3%A9+%7B%7B+7+%7D%7D"
        );
        assert_eq!(rendered("{{ text }}", "text/plain"), "one\ntwo\n");
    }

    #[test]
    fn what_is_no_json_and_what_cannot_be_rendered_is_replaced() {
        for wrong in ["{{ title }}", r#"{"a": {{ title }}}"#, "{{ 1 + }}", "{{ title.x.y }}"] {
            assert!(rendered(wrong, "application/json").starts_with(r#"{"key":"k","title":"#));
        }
    }
}
