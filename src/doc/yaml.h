#pragma once
/// YAML 1.1 in and out of documents, as sigs.k8s.io/yaml v1.6.0 (go-yaml v2) does it, because that
/// is what kubectl, argo and the API server run: `yes` is true, `010` is eight, keys become
/// strings, anchors and `<<` merges are expanded. Error messages are upstream's texts; line and
/// column stand in the error's causes. The parser below is libyaml.

#include "base/error.h"
#include "doc/json.h"
#include "doc/positions.h"

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

enum class DuplicateKeys {
  /// The last one counts.
  last_wins,
  /// "yaml: unmarshal errors:\n  line 2: key \"a\" already set in map", all of them.
  error,
};

/// What hostile input may cost at most. Aliases are limited by upstream's rule on the share of
/// nodes that come from aliases, and by the bytes that they copy.
struct YamlLimits {
  std::size_t bytes = std::size_t{64} << 20U;
  int depth = kMaximumDepth;
  std::size_t alias_bytes = std::size_t{32} << 20U;
};

struct YamlOptions {
  DuplicateKeys duplicate_keys = DuplicateKeys::last_wins;
  /// Lines before the text, in a larger text that it was cut from.
  std::size_t first_line = 0;
  YamlLimits limits = {};
};

/// A document with the places of its nodes.
struct LocatedValue {
  Value value;
  Positions positions;
};

/// The first document of `text`; an empty text is null. Errors: parse for what is no YAML, invalid
/// for what has no JSON form (map keys that are lists, infinities) and for duplicate keys. Each has
/// one cause per place at fault, with line and column.
Result<LocatedValue> parse_yaml(std::string_view text, const YamlOptions& options = {});

/// All documents of a manifest, separated by `---`. One that starts with `{"` is JSON. Empty
/// documents are left out. A document that cannot be read does not hide the others: it is an error
/// in its place.
std::vector<Result<LocatedValue>> parse_manifests(std::string_view text,
                                                  const YamlOptions& options = {});

/// JSON text with the places of its nodes; same errors as parse_json, and those of duplicate keys.
Result<LocatedValue> parse_located_json(std::string_view text, const YamlOptions& options = {});

/// YAML text as sigs.k8s.io/yaml prints it, with a newline at the end: keys in go-yaml's natural
/// order, lists not indented below their key, long texts folded at 80 columns, `|` for texts of
/// several lines.
std::string to_yaml(const Value& value);

}  // namespace tiphys::doc
