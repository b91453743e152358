#pragma once
/// Readers of the golden tables: each turns the input of a case into what our code makes of it.

#include "base/error.h"
#include "doc/json.h"
#include "lang/expr/expr.h"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tiphys::table {

/// What a case gives: a value, or an error's text.
using Outcome = std::expected<doc::Value, std::string>;

struct Case {
  /// Of the table, "when/string/004".
  std::string_view id;
  const doc::Value& in;
  /// What upstream gave, for tables that say only some of what they could; null for an error.
  const doc::Value* expected = nullptr;
  /// Where the table and its side files are.
  std::filesystem::path folder;
};

using Reader = Outcome (*)(const Case& one);

Outcome read_when(const Case& one);
Outcome read_names(const Case& one);
Outcome read_duration(const Case& one);
Outcome read_yaml(const Case& one);
Outcome read_depends(const Case& one);
Outcome read_items(const Case& one);
Outcome read_tags(const Case& one);
Outcome read_expr(const Case& one);
Outcome read_cron(const Case& one);
Outcome read_jq(const Case& one);
Outcome read_jsonpath(const Case& one);

// Helpers.

std::string text_at(const doc::Value& value, std::string_view key);
std::int64_t integer_at(const doc::Value& value, std::string_view key);
bool flag_at(const doc::Value& value, std::string_view key);
/// A text as a document; bytes that are no UTF-8 become U+FFFD, as in the tables.
doc::Value text_value(std::string_view text);
Outcome failed(const Error& error);

template <class T>
Outcome text_outcome(const Result<T>& result) {
  return result ? Outcome(text_value(*result)) : failed(result.error());
}

/// A JSON value as the Go value the tables mean: whole numbers are ints, {"$int64": 7} an int64,
/// {"$artifact": {...}} an artifact.
lang::ExprValue go_value(const doc::Value& value);

/// Zone files of this machine, a clock that stands still.
lang::ExprRuntime runtime();

/// What Argo lets expressions call.
const lang::ExprEnvironment& functions();

}  // namespace tiphys::table
