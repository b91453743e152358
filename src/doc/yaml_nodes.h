#pragma once
/// The nodes of one YAML document as the parser saw them, before anchors are expanded and scalars
/// are given a meaning. Private to this module.

#include "base/error.h"
#include "doc/yaml.h"

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::doc {

enum class YamlKind : std::uint8_t { scalar, list, mapping, alias };

struct YamlNode {
  YamlKind kind = YamlKind::scalar;
  /// Scalars: plain, so that the text decides about the meaning.
  bool implicit = false;
  std::uint32_t first_child = 0;
  std::uint32_t child_count = 0;
  /// Aliases: the node that carries the anchor.
  std::uint32_t target = 0;
  Position position;
  /// The text of a scalar, the name of an alias.
  std::string_view text;
  std::string_view tag;
};

/// A document's nodes; the root is the last one that has no parent. Texts live as long as this.
struct YamlTree {
  std::vector<YamlNode> nodes;
  std::vector<std::uint32_t> children;
  std::deque<std::string> texts;
  std::uint32_t root = 0;
  /// No document at all: the text was empty.
  bool empty = true;

  /// Children of a list, or keys and values in turn of a mapping.
  std::span<const std::uint32_t> children_of(const YamlNode& node) const {
    return std::span(children).subspan(node.first_child, node.child_count);
  }
};

/// Reads the first document of `text`.
Result<YamlTree> read_yaml_tree(std::string_view text, const YamlOptions& options);

/// An Error with one cause at `position`.
std::unexpected<Error> yaml_error(ErrorCode code, std::string message, Position position,
                                  std::string path = {});

/// Expands a tree into a document.
Result<LocatedValue> decode_yaml_tree(const YamlTree& tree, const YamlOptions& options);

}  // namespace tiphys::doc
