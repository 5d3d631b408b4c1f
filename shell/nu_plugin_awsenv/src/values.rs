//! Owns how the library's JSON becomes nu's values: moments are dates, seconds are durations.

use chrono::{DateTime, FixedOffset};
use nu_protocol::{Record, Span, Value};
use serde_json::Value as Json;

/// Nanoseconds in a second, the unit of nu's durations.
const SECOND: i64 = 1_000_000_000;

pub(crate) fn of_json(json: &Json, span: Span) -> Value {
    match json {
        Json::Null => Value::nothing(span),
        Json::Bool(flag) => Value::bool(*flag, span),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::int(integer, span),
            None => Value::float(number.as_f64().unwrap_or_default(), span),
        },
        Json::String(text) => Value::string(text, span),
        Json::Array(items) => Value::list(items.iter().map(|item| of_json(item, span)).collect(), span),
        Json::Object(fields) => {
            let record: Record = fields.iter().map(|(name, value)| field(name, value, span)).collect();
            Value::record(record, span)
        }
    }
}

/// A field is named by what it is: `duration_seconds` of JSON is the duration `duration`.
fn field(name: &str, json: &Json, span: Span) -> (String, Value) {
    match (name.strip_suffix("_seconds"), json) {
        (Some(name), Json::Number(seconds)) => {
            (name.to_owned(), Value::duration(seconds.as_i64().unwrap_or_default() * SECOND, span))
        }
        (Some(name), _) => (name.to_owned(), Value::nothing(span)),
        (None, Json::String(text)) if name.ends_with("_at") => (name.to_owned(), moment(text, span)),
        (None, _) => (name.to_owned(), of_json(json, span)),
    }
}

fn moment(text: &str, span: Span) -> Value {
    match DateTime::<FixedOffset>::parse_from_rfc3339(text) {
        Ok(moment) => Value::date(moment, span),
        Err(_) => Value::string(text, span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_seconds_are_nus_own() {
        let json = serde_json::json!({"expires_at": "2026-01-31T12:00:00Z", "remaining_seconds": 90, "duration_seconds": null, "n": [1]});
        let value = of_json(&json, Span::test_data());
        let record = value.as_record().expect("a record");
        assert!(matches!(record["expires_at"], Value::Date { .. }));
        assert_eq!(record["remaining"], Value::test_duration(90 * SECOND));
        assert!(record["duration"].is_nothing());
        assert_eq!(record["n"], Value::test_list(vec![Value::test_int(1)]));
    }
}
