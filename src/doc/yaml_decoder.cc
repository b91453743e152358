#include "doc/go_text.h"
#include "doc/text.h"
#include "doc/yaml_nodes.h"
#include "doc/yaml_scalar.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace tiphys::doc {
namespace {

class Decoder {
 public:
  Decoder(const YamlTree& tree, const YamlOptions& options)
      : tree_(tree), options_(options), expanding_(tree.nodes.size(), false) {}

  Result<LocatedValue> decode() {
    if (tree_.empty) {
      return LocatedValue{};
    }
    const PositionsBuilder::Slot root = positions_.add({}, {}, tree_.nodes[tree_.root].position);
    TRY(Value value, build(tree_.root, root));
    if (!duplicates_.empty()) {
      return std::unexpected(Error{ErrorCode::invalid, duplicates_text(), std::move(duplicates_)});
    }
    if (key_error_) {
      return std::unexpected(*std::move(key_error_));
    }
    if (number_error_) {
      return std::unexpected(*std::move(number_error_));
    }
    return LocatedValue{std::move(value), std::move(positions_).finish()};
  }

 private:
  struct Step {
    std::string_view key;
    std::size_t index;
  };

  /// The node behind an alias stays marked as being expanded while this lives.
  class Expansion {
   public:
    Expansion(Decoder& decoder, std::uint32_t alias) : decoder_(decoder), alias_(alias) {
      decoder_.expanding_[alias_] = true;
      ++decoder_.alias_depth_;
    }

    Expansion(const Expansion&) = delete;
    Expansion& operator=(const Expansion&) = delete;

    ~Expansion() {
      decoder_.expanding_[alias_] = false;
      --decoder_.alias_depth_;
    }

   private:
    Decoder& decoder_;
    std::uint32_t alias_;
  };

  std::string path() const {
    std::string text;
    for (const Step& step : path_) {
      if (step.key.data() == nullptr) {
        text += "[" + std::to_string(step.index) + "]";
      } else {
        text += text.empty() ? "" : ".";
        text += step.key;
      }
    }
    return text;
  }

  std::unexpected<Error> failure(std::string message, const YamlNode& node) const {
    return yaml_error(ErrorCode::invalid, std::move(message), node.position, path());
  }

  /// Counts one decoded node; upstream's bound on expansion by aliases (decode.go).
  Result<> count(const YamlNode& node) {
    ++decoded_;
    if (alias_depth_ > 0) {
      ++from_aliases_;
      alias_bytes_ += sizeof(Value) + node.text.size();
    }
    constexpr double kLow = 400'000;
    constexpr double kHigh = 4'000'000;
    const auto decoded = static_cast<double>(decoded_);
    const double allowed = 0.99 - 0.89 * std::clamp((decoded - kLow) / (kHigh - kLow), 0.0, 1.0);
    const bool excessive = from_aliases_ > 100 && decoded_ > 1000 &&
                           static_cast<double>(from_aliases_) / decoded > allowed;
    if (excessive || alias_bytes_ > options_.limits.alias_bytes) {
      return failure("yaml: document contains excessive aliasing", node);
    }
    return {};
  }

  Result<Value> build(std::uint32_t id, PositionsBuilder::Slot slot) {
    const YamlNode& node = tree_.nodes[id];
    TRY_VOID(count(node));
    if (depth_ >= options_.limits.depth) {
      return failure("yaml: exceeded max depth of " + std::to_string(options_.limits.depth), node);
    }
    switch (node.kind) {
      case YamlKind::alias: {
        TRY_VOID(check_alias(id));
        const Expansion expansion(*this, id);
        return build(node.target, slot);
      }
      case YamlKind::scalar:
        return build_scalar(node);
      case YamlKind::list:
        return build_list(node, slot);
      case YamlKind::mapping: {
        Object object;
        TRY_VOID(fill(object, node));
        positions_.close_object(slot);
        return Value(std::move(object));
      }
    }
    return Value();
  }

  Result<> check_alias(std::uint32_t id) const {
    if (expanding_[id]) {
      const YamlNode& node = tree_.nodes[id];
      return failure("yaml: anchor '" + std::string(node.text) + "' value contains itself", node);
    }
    return {};
  }

  /// Resolves with the tag of the node.
  Result<Scalar> resolve(const YamlNode& node) const {
    if (node.tag.empty() && !node.implicit) {
      return Scalar{};
    }
    auto scalar = resolve_scalar(node.tag, node.text);
    if (!scalar) {
      return failure("yaml: " + scalar.error().message, node);
    }
    return scalar;
  }

  Result<std::string> text_of_node(const YamlNode& node) const {
    if (node.tag != kBinaryTag) {
      return std::string(node.text);
    }
    auto data = decode_base64(node.text);
    if (!data) {
      return failure("yaml: !!binary value contains invalid base64 data", node);
    }
    return with_valid_utf8(*std::move(data));
  }

  Result<Value> build_scalar(const YamlNode& node) {
    TRY(const Scalar scalar, resolve(node));
    switch (scalar.kind) {
      case ScalarKind::null:
        return Value();
      case ScalarKind::boolean:
        return Value(scalar.boolean);
      case ScalarKind::integer:
        return Value(scalar.integer);
      case ScalarKind::unsigned_integer:
        return Value(scalar.unsigned_integer);
      case ScalarKind::real:
        if (!std::isfinite(scalar.real) && !number_error_) {
          number_error_ =
              failure("json: unsupported value: " + go_general_number(scalar.real, 64), node)
                  .error();
        }
        return Value(scalar.real);
      case ScalarKind::text:
      case ScalarKind::timestamp: {
        TRY(const std::string text, text_of_node(node));
        return Value(boost::json::string(text.data(), text.size()));
      }
    }
    return Value();
  }

  Result<Value> build_list(const YamlNode& node, PositionsBuilder::Slot slot) {
    Array array;
    array.reserve(node.child_count);
    ++depth_;
    for (const std::uint32_t child : tree_.children_of(node)) {
      path_.push_back({{}, array.size()});
      const auto element = positions_.add({}, {}, tree_.nodes[child].position);
      TRY(Value value, build(child, element));
      array.push_back(std::move(value));
      path_.pop_back();
    }
    --depth_;
    positions_.close_list(slot);
    return Value(std::move(array));
  }

  Result<> fill(Object& object, const YamlNode& mapping) {
    ++depth_;
    const auto children = tree_.children_of(mapping);
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      const YamlNode& key = tree_.nodes[children[i]];
      const bool merges = key.kind == YamlKind::scalar && key.text == "<<" &&
                          (key.implicit || key.tag == kMergeTag);
      if (merges) {
        TRY_VOID(merge(object, children[i + 1]));
      } else {
        TRY_VOID(add_member(object, children[i], children[i + 1]));
      }
    }
    --depth_;
    return {};
  }

  Result<> merge(Object& object, std::uint32_t source) {
    const YamlNode& node = tree_.nodes[source];
    if (node.kind != YamlKind::list) {
      return merge_one(object, source);
    }
    // Earlier elements take precedence, so they are set last.
    const auto sources = tree_.children_of(node);
    for (auto element = sources.rbegin(); element != sources.rend(); ++element) {
      TRY_VOID(merge_one(object, *element));
    }
    return {};
  }

  Result<> merge_one(Object& object, std::uint32_t source) {
    const YamlNode& node = tree_.nodes[source];
    TRY_VOID(count(node));
    if (depth_ >= options_.limits.depth) {
      return failure("yaml: exceeded max depth of " + std::to_string(options_.limits.depth), node);
    }
    if (node.kind == YamlKind::mapping) {
      return fill(object, node);
    }
    if (node.kind != YamlKind::alias || tree_.nodes[node.target].kind != YamlKind::mapping) {
      return failure("yaml: map merge requires map or sequence of maps as the value", node);
    }
    TRY_VOID(check_alias(source));
    const Expansion expansion(*this, source);
    TRY_VOID(count(tree_.nodes[node.target]));
    return fill(object, tree_.nodes[node.target]);
  }

  Result<> add_member(Object& object, std::uint32_t key_id, std::uint32_t value_id) {
    const YamlNode& key = tree_.nodes[key_id];
    const YamlNode& value = tree_.nodes[value_id];
    TRY_VOID(count(key));
    const YamlNode& source = key.kind == YamlKind::alias ? tree_.nodes[key.target] : key;
    if (source.kind == YamlKind::list || source.kind == YamlKind::mapping) {
      return failure("yaml: invalid map key: " + go_syntax(source), key);
    }
    TRY(const Scalar scalar, resolve(source));
    TRY(const std::string name, key_text(scalar, source));
    path_.push_back({name, 0});
    const auto member = positions_.add(name, key.position, value.position);
    TRY(Value built, build(value_id, member));
    if (options_.duplicate_keys == DuplicateKeys::error && object.contains(name)) {
      const std::string line = "line " + std::to_string(value.position.line) + ": key " +
                               go_syntax(source) + " already set in map";
      duplicates_.push_back({path(), line, key.position});
      positions_.drop_after(member - 1);
    } else {
      note_unsupported_key(scalar, source, value);
      object.insert_or_assign(name, std::move(built));
    }
    path_.pop_back();
    return {};
  }

  Result<std::string> key_text(const Scalar& key, const YamlNode& node) const {
    switch (key.kind) {
      case ScalarKind::null:
        return std::string("null");
      case ScalarKind::boolean:
        return std::string(key.boolean ? "true" : "false");
      case ScalarKind::integer:
        return std::to_string(key.integer);
      case ScalarKind::unsigned_integer:
        return std::to_string(key.unsigned_integer);
      case ScalarKind::real:
        if (!std::isfinite(key.real)) {
          return std::string(std::isnan(key.real) ? ".nan" : key.real < 0 ? "-.inf" : ".inf");
        }
        return go_general_number(key.real, 32);
      default:
        return text_of_node(node);
    }
  }

  void note_unsupported_key(const Scalar& key, const YamlNode& node, const YamlNode& value) {
    if (key_error_ || (key.kind != ScalarKind::null && key.kind != ScalarKind::unsigned_integer)) {
      return;
    }
    const bool null = key.kind == ScalarKind::null;
    const std::string type = null ? "%!s(<nil>)" : "uint64";
    std::string shown = go_syntax(value);
    if (shown == "interface {}(nil)") {
      shown = "<nil>";
    }
    key_error_ = failure("unsupported map key of type: " + type +
                             ", key: " + (null ? "<nil>" : go_syntax(node)) + ", value: " + shown,
                         node)
                     .error();
  }

  /// A node as Go's %#v prints the value that go-yaml makes of it. Long values are cut short.
  std::string go_syntax(const YamlNode& node) const {
    std::size_t budget = 256;
    return go_syntax(node, budget);
  }

  /// `budget` is how many more nodes may be shown; it also bounds the recursion.
  std::string go_syntax(const YamlNode& node, std::size_t& budget) const {
    if (budget == 0) {
      return "...";
    }
    --budget;
    if (node.kind == YamlKind::alias) {
      return go_syntax(tree_.nodes[node.target], budget);
    }
    if (node.kind == YamlKind::scalar) {
      return go_scalar_syntax(node);
    }
    const bool mapping = node.kind == YamlKind::mapping;
    std::vector<std::string> parts;
    const auto children = tree_.children_of(node);
    for (std::size_t i = 0; i < children.size() && budget > 0; i += mapping ? 2 : 1) {
      std::string part = go_syntax(tree_.nodes[children[i]], budget);
      if (mapping) {
        part += ":" + go_syntax(tree_.nodes[children[i + 1]], budget);
      }
      parts.push_back(std::move(part));
    }
    if (mapping) {
      std::ranges::sort(parts);
    }
    std::string out = mapping ? "map[interface {}]interface {}{" : "[]interface {}{";
    for (std::size_t i = 0; i < parts.size(); ++i) {
      out += (i > 0 ? ", " : "") + parts[i];
    }
    return out + "}";
  }

  std::string go_scalar_syntax(const YamlNode& node) const {
    const auto resolved = resolve(node);
    const Scalar scalar = resolved.value_or(Scalar{});
    switch (scalar.kind) {
      case ScalarKind::null:
        return "interface {}(nil)";
      case ScalarKind::boolean:
        return scalar.boolean ? "true" : "false";
      case ScalarKind::integer:
        return std::to_string(scalar.integer);
      case ScalarKind::unsigned_integer: {
        std::string digits;
        for (std::uint64_t rest = scalar.unsigned_integer; rest != 0; rest >>= 4U) {
          digits.insert(digits.begin(), "0123456789abcdef"[rest & 0xFU]);
        }
        return "0x" + digits;
      }
      case ScalarKind::real:
        return go_general_number(scalar.real, 64);
      default: {
        std::string quoted;
        append_json_string(quoted, node.text, false);
        return quoted;
      }
    }
  }

  std::string duplicates_text() const {
    std::string text = "yaml: unmarshal errors:";
    for (const FieldError& duplicate : duplicates_) {
      text += "\n  " + duplicate.message;
    }
    return text;
  }

  const YamlTree& tree_;
  const YamlOptions& options_;
  PositionsBuilder positions_;
  std::vector<bool> expanding_;
  std::vector<Step> path_;
  std::vector<FieldError> duplicates_;
  std::optional<Error> key_error_;
  std::optional<Error> number_error_;
  std::size_t decoded_ = 0;
  std::size_t from_aliases_ = 0;
  std::size_t alias_bytes_ = 0;
  int alias_depth_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<LocatedValue> decode_yaml_tree(const YamlTree& tree, const YamlOptions& options) {
  return Decoder(tree, options).decode();
}

}  // namespace tiphys::doc
