#pragma once
/// How functions are declared and answer. Private to the module.

#include "lang/sprig/sprig.h"

#include <cstdint>
#include <utility>

namespace tiphys::lang::sprig {

/// The arguments of one call, already of the types the function declares. A nil map or list
/// argument arrives as nil or as an empty list.
struct Call {
  ExprRun& run;
  ExprArguments arguments;
  const SprigContext& context;

  std::size_t size() const { return arguments.size(); }

  const ExprValue& operator[](std::size_t i) const { return arguments[i]; }

  std::string_view text(std::size_t i) const { return arguments[i].as_string(); }

  std::int64_t integer(std::size_t i) const { return arguments[i].as_integer(); }

  ExprArguments rest(std::size_t from) const { return arguments.subspan(from); }
};

using Answer = Result<ExprValue>;

struct Function {
  std::string_view name;
  /// As Go's %T prints it.
  std::string_view type;
  Answer (*body)(const Call& call);
};

/// The tables, one per subject.
std::span<const Function> text_functions();
std::span<const Function> word_functions();
std::span<const Function> splitting_functions();
std::span<const Function> number_functions();
std::span<const Function> list_functions();
std::span<const Function> map_functions();
std::span<const Function> default_functions();
std::span<const Function> json_functions();
std::span<const Function> date_functions();
std::span<const Function> regex_functions();
std::span<const Function> version_functions();
std::span<const Function> url_functions();
std::span<const Function> path_functions();
std::span<const Function> digest_functions();
std::span<const Function> random_functions();
std::span<const Function> certificate_functions();

/// The type a Go signature names: "func(string, ...interface {}) []string".
ExprType parse_type(std::string_view go_name);

/// An error with ErrorCode::invalid.
std::unexpected<Error> failure(std::string message);
/// Go's "runtime error: slice bounds out of range [..]" and its kin, without the prefix.
std::unexpected<Error> go_panic(std::string_view what);

/// Text, charged to the run.
Answer text_answer(const Call& call, std::string text);
/// []interface{} or []element, charged to the run.
Answer list_answer(const Call& call, ExprList items, ExprType element = ExprKind::any);
Answer list_answer(const Call& call, std::vector<std::string> items);
Answer map_answer(const Call& call, ExprEntries entries, ExprType element = ExprKind::any);
ExprValue int64_value(std::int64_t value);

/// Go's text of a value as the library takes it: bytes are text, everything else is as %v.
std::string printed(const ExprValue& value);
std::vector<std::string> printed_items(const ExprValue& value);
/// spf13/cast: what cannot be converted is 0.
std::int64_t to_int64(const ExprValue& value);
double to_float64(const ExprValue& value);
/// A float64 as Go on amd64 converts it to int64: out of range gives the lowest.
std::int64_t cut_to_int64(double value);
/// A whole decimal number as strconv gives it beside an error: 0 for other text, the nearest
/// number there is when it is too large.
std::int64_t lenient_integer(std::string_view text);
/// Whether the library calls a value empty: nil, false, 0, "", [] and {}.
bool is_empty(const ExprValue& value);

/// Go's reflect.DeepEqual, charged to the run: shared parts can make a small value large.
Result<bool> deeply_equal(const Call& call, const ExprValue& a, const ExprValue& b);

/// The present. Errors: unavailable.
Result<Instant> present(const Call& call);
/// Random bytes. Errors: unavailable.
Result<std::string> random_bytes(const Call& call, std::size_t count);
/// Below `bound`, every number equally likely; `bound` is at least 1.
Result<std::uint64_t> random_below(const Call& call, std::uint64_t bound);

}  // namespace tiphys::lang::sprig
