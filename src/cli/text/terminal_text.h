#pragma once
/// Text for terminals: one line, so many columns, nothing in it that moves the cursor.

#include <cstddef>
#include <string>
#include <string_view>

namespace tiphys::cli {

/// The text as one line without control characters: each run of them becomes a space. What is not
/// UTF-8 becomes "?".
std::string printable_line(std::string_view text);

/// Columns that a text takes on a terminal; colour sequences take none, wide characters two.
std::size_t column_count(std::string_view text);

/// The text cut to so many columns, with an ellipsis where something was cut. Colours that were
/// open there are closed.
std::string fit_columns(std::string_view text, std::size_t columns, bool utf8);

}  // namespace tiphys::cli
