#pragma once
/// Documents. `Value` is the document in memory, the same type everywhere; `parse_json` and
/// `to_json` are the only ways in and out of text. The writer follows Go's encoding/json, because
/// users compare our output with that of Go programs: number spelling, escapes of `<`, `>`, `&`,
/// U+2028 and U+2029.

#include "base/error.h"

#include <boost/json/fwd.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace tiphys::doc {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

/// How deep documents may be nested; every reader refuses more.
inline constexpr std::size_t kMaximumDepth = 512;

struct JsonStyle {
  /// Escape `<`, `>` and `&` as Go's json.Marshal does (json.Encoder with SetEscapeHTML(false) does
  /// not).
  bool escape_html = true;
  /// Write the members of objects in byte order of their keys, as Go does for maps; else in
  /// insertion order.
  bool sort_keys = false;
  /// Spaces a level; 0 = compact.
  int indent = 0;
};

/// Compact or indented JSON text. Doubles are spelled as Go spells float64; NaN and infinities
/// become `null`.
std::string to_json(const Value& value, const JsonStyle& style = {});
/// The same, appended to `out`.
void append_json(std::string& out, const Value& value, const JsonStyle& style = {});
/// Appends a quoted and escaped JSON string.
void append_json_string(std::string& out, std::string_view text, bool escape_html = true);
/// A double as Go's encoding/json writes a float64: shortest round trip, exponent below 1e-6 and
/// from 1e21.
std::string json_number(double number);

/// Parses strict JSON (RFC 8259), at most 512 levels deep. Errors: parse, with line and column in
/// the message's cause; `first_line` lines stand before the text in a larger one that it was cut
/// from. Of members with the same key the last one counts, as in Go.
Result<Value> parse_json(std::string_view text, std::size_t first_line = 0);

/// The member `key` of an object, or null if `value` is no object or has no such member.
const Value* find(const Value& value, std::string_view key);
/// The string at `key`, or an empty view when there is none or it is no string. Valid as long as
/// `value` is unchanged.
std::string_view find_string(const Value& value, std::string_view key);
/// A view of a JSON string's bytes.
std::string_view text_of(const boost::json::string& text);

}  // namespace tiphys::doc
