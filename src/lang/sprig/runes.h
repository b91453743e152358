#pragma once
/// Characters and the spelling of identifiers (snake_case and its kin). Private to the module.

#include <string>
#include <string_view>

namespace tiphys::lang::sprig {

/// Go's unicode.IsUpper, IsLower, IsTitle, IsNumber and IsPunct.
bool is_upper(char32_t rune);
bool is_lower(char32_t rune);
bool is_title(char32_t rune);
bool is_number(char32_t rune);
bool is_punctuation(char32_t rune);
/// Go's unicode.ToTitle.
char32_t title_rune(char32_t rune);

/// huandu/xstrings v1.5.0 ToSnakeCase and ToKebabCase: the words of an identifier in lower case
/// with the connector between them.
std::string joined_words(std::string_view text, char connector);
/// ToPascalCase: "some_words" is SomeWords. Connectors at the start stay.
std::string pascal_case(std::string_view text);

}  // namespace tiphys::lang::sprig
