#pragma once
/// JSON as raw text, for places where values must keep their spelling (loop items) or where
/// upstream shows the exact message of Go's encoding/json. The functions below `json_problem` want
/// text that passed it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang {

/// What Go's encoding/json says about a text that is not exactly one JSON value, or nothing when it
/// is one: `invalid character 'x' in string escape code`. Nesting beyond 10000 levels is a problem.
std::optional<std::string> json_problem(std::string_view text);

/// How Go names the kind of a JSON value in "cannot unmarshal X": array, object, string, number,
/// bool, null.
std::string_view json_kind(std::string_view value);

/// Where the value that starts at `position` ends; blanks before it are skipped.
std::size_t json_value_end(std::string_view text, std::size_t position);

/// The elements of an array as raw text, in order, without blanks around them.
std::vector<std::string_view> json_elements(std::string_view array);

struct JsonMember {
  /// Unescaped.
  std::string key;
  /// Raw text without blanks around it.
  std::string_view value;
};

/// The members of an object in order, duplicates included.
std::vector<JsonMember> json_members(std::string_view object);

/// The content of a quoted JSON string: escapes resolved, broken bytes and lone surrogates U+FFFD.
std::string json_unescape(std::string_view quoted);

/// Undoes the escapes \u003c, \u003e and \u0026 wherever they stand.
std::string without_html_escapes(std::string_view text);

/// Appends a value without blanks; `<`, `>`, `&`, U+2028 and U+2029 are escaped as json.Marshal
/// does with raw text.
void append_compact_json(std::string& out, std::string_view value);

}  // namespace tiphys::lang
