//! Canonical JSON (RFC 8785): one text for one value, so that a hash of it can be worked out again anywhere.
//!
//! Nothing in the log is a floating-point number; integers are written in full.

use serde_json::Value;

/// The canonical text of a value.
pub(super) fn text(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, text);
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            // The RFC sorts by UTF-16 code units, which is not the order of UTF-8 beyond the basic plane.
            members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            text.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                separate(index, text);
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(member, text);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn separate(index: usize, text: &mut String) {
    if index > 0 {
        text.push(',');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn members_are_sorted_at_every_depth_and_nothing_is_spaced() {
        let value = json!({"나": 1, "b": [true, null, {"z": "\u{1}\"\\\n", "a": -9_223_372_036_854_775_808_i64}], "a": {}});
        let expected = r#"{"a":{},"b":[true,null,{"a":-9223372036854775808,"z":"\u0001\"\\\n"}],"나":1}"#;
        assert_eq!(text(&value), expected);
    }

    #[test]
    fn the_order_is_that_of_utf_16() {
        // U+FFFD sorts after U+1F600 in UTF-16 (0xD83D < 0xFFFD) and before it in UTF-8.
        let value = json!({"\u{FFFD}": 1, "\u{1F600}": 2});
        assert_eq!(text(&value), "{\"\u{1F600}\":2,\"\u{FFFD}\":1}");
    }
}
