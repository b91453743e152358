#pragma once
/// What a YAML 1.1 scalar means, by the rules of go-yaml v2 (resolve.go), which decide for kubectl,
/// argo and the API server. Private to this module.

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::doc {

enum class ScalarKind { null, boolean, integer, unsigned_integer, real, text, timestamp };

struct Scalar {
  ScalarKind kind = ScalarKind::text;
  bool boolean = false;
  std::int64_t integer = 0;
  std::uint64_t unsigned_integer = 0;
  double real = 0;
};

inline constexpr std::string_view kYamlTagPrefix = "tag:yaml.org,2002:";
inline constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";
inline constexpr std::string_view kBinaryTag = "tag:yaml.org,2002:binary";
inline constexpr std::string_view kMergeTag = "tag:yaml.org,2002:merge";

/// Resolves a scalar with an explicit long-form tag, or an empty one. Tags that are not of the core
/// set make a text. Errors: invalid, "cannot decode !!str `x` as a !!int".
Result<Scalar> resolve_scalar(std::string_view tag, std::string_view text);

/// True when an unquoted `text` would be read back as this very string by us and by YAML readers
/// that know base 60 numbers.
bool reads_back_as_text(std::string_view text);

}  // namespace tiphys::doc
