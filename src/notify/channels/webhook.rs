//! A body of the user's own making.

use minijinja::value::ValueKind;
use minijinja::{Environment, Output, State, Value, escape_formatter};

use super::web::Body;
use crate::notify::content::Message;
use crate::notify::failure::Failure;

/// What the template makes of the message. Where it is broken, or its JSON is: the default, which
/// says the same.
pub(super) fn body(message: &Message, template: &str, content_type: &str) -> Result<Body, Failure> {
    let is_json = is_json(content_type);
    let mut environment = Environment::new();
    if is_json {
        environment.set_formatter(write_into_json);
    }
    let text = message.render_with(environment, template).filter(|text| {
        let is_right = !is_json || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
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

/// `application/json`, `application/problem+json; charset=utf-8`.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.ends_with("/json") || kind.ends_with("+json")
}

/// Escapes a text for the inside of a JSON string, so that `"{{ title }}"` can be nothing else.
/// What `tojson` has made stays as it is.
fn write_into_json(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    match (value.kind(), value.as_str()) {
        (ValueKind::String, Some(text)) if !value.is_safe() => {
            let quoted = serde_json::Value::from(text).to_string();
            out.write_str(&quoted[1..quoted.len() - 1]).map_err(Into::into)
        }
        (ValueKind::None, _) => out.write_str("null").map_err(Into::into),
        _ => escape_formatter(out, state, value),
    }
}
