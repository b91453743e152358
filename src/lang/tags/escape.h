#pragma once
/// How a simple tag's value is written: as Go quotes a string, without the quotes.

#include <string>
#include <string_view>

namespace tiphys::lang {

/// Whether the written text may stand inside a JSON string. Go's quoting knows escapes JSON does
/// not (\a, \v, \x00, \U000e0001).
enum class JsonSafety { safe, unsafe };

/// Appends strconv.Quote(text) without its outer quotes.
JsonSafety append_go_escaped(std::string& out, std::string_view text);

}  // namespace tiphys::lang
