/// Go type names as `%T` prints them, turned into types.
#include "lang/sprig/functions.h"
#include "lang/sprig/objects.h"

#include <array>
#include <utility>

namespace tiphys::lang::sprig {
namespace {

class TypeReader {
 public:
  explicit TypeReader(std::string_view text) : text_(text) {}

  ExprType read() {
    if (take("func(")) {
      return function();
    }
    if (take("[]")) {
      return ExprType::list_of(read());
    }
    if (take("map[")) {
      ExprType key = read();
      CHECK(take("]"), "a map type names its key");
      ExprType element = read();
      return ExprType::map_of(std::move(key), std::move(element));
    }
    return named();
  }

 private:
  bool take(std::string_view prefix) {
    if (!text_.starts_with(prefix)) {
      return false;
    }
    text_.remove_prefix(prefix.size());
    return true;
  }

  ExprType function() {
    std::vector<ExprType> parameters;
    bool variadic = false;
    while (!take(")")) {
      take(", ");
      variadic = take("...");
      ExprType parameter = read();
      parameters.push_back(variadic ? ExprType::list_of(std::move(parameter))
                                    : std::move(parameter));
    }
    std::vector<ExprType> results;
    if (take(" (")) {
      while (!take(")")) {
        take(", ");
        results.push_back(read());
      }
    } else if (take(" ")) {
      results.push_back(read());
    }
    return ExprType::function(std::move(parameters), variadic, std::move(results));
  }

  ExprType named() {
    using enum ExprKind;
    constexpr std::array<std::pair<std::string_view, ExprKind>, 8> kSimple = {{
        {"interface {}", any},
        {"string", string},
        {"bool", boolean},
        {"int64", int64},
        {"int", int_},
        {"uint32", uint32},
        {"float64", float64},
        {"time.Time", time},
    }};
    for (const auto& [name, kind] : kSimple) {
      if (take(name)) {
        return kind;
      }
    }
    if (take("sprig.certificate")) {
      return certificate_value({}).type();
    }
    if (take("*semver.Version")) {
      return version_value({}).type();
    }
    CHECK(take("error"), "a type of this module is known by name");
    return error_type();
  }

  std::string_view text_;
};

}  // namespace

ExprType parse_type(std::string_view go_name) { return TypeReader(go_name).read(); }

}  // namespace tiphys::lang::sprig
