#include "doc/yaml_nodes.h"

#include <yaml.h>

#include <cstring>
#include <unordered_map>

namespace tiphys::doc {
namespace {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  ~Event() { clear(); }

  void clear() {
    yaml_event_delete(&event_);
    event_ = {};
  }

  yaml_event_t* operator->() { return &event_; }

  yaml_event_t* get() { return &event_; }

 private:
  yaml_event_t event_{};
};

std::string_view view_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

class Reader {
 public:
  Reader(std::string_view text, const YamlOptions& options) : options_(options) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }

  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  ~Reader() { yaml_parser_delete(&parser_); }

  Result<YamlTree> read() {
    TRY_VOID(next());
    TRY_VOID(next());
    if (event_->type == YAML_STREAM_END_EVENT) {
      return std::move(tree_);
    }
    const auto* version = event_->data.document_start.version_directive;
    if (version != nullptr && (version->major != 1 || version->minor != 1)) {
      return yaml_error(ErrorCode::parse, "yaml: found incompatible YAML document", here());
    }
    TRY_VOID(next());
    while (event_->type != YAML_DOCUMENT_END_EVENT) {
      TRY_VOID(take_event());
      if (ends_at_empty_key()) {
        break;
      }
      TRY_VOID(next());
    }
    tree_.empty = false;
    return std::move(tree_);
  }

 private:
  /// go-yaml's scanner does not see that `{}` or `[]` at the very start is a key: the document ends
  /// there and the rest is not read.
  bool ends_at_empty_key() {
    constexpr std::size_t kRootAndKey = 2;
    if (tree_.nodes.size() != kRootAndKey || open_.size() != 1 ||
        tree_.nodes[0].kind != YamlKind::mapping ||
        (tree_.nodes[1].kind != YamlKind::list && tree_.nodes[1].kind != YamlKind::mapping) ||
        tree_.nodes[1].position != tree_.nodes[0].position) {
      return false;
    }
    tree_.root = 1;
    return true;
  }

  Result<> next() {
    event_.clear();
    if (yaml_parser_parse(&parser_, event_.get()) == 0) {
      return failure();
    }
    return {};
  }

  Position here() { return at(event_->start_mark); }

  Position at(const yaml_mark_t& mark) const {
    return {mark.line + 1 + options_.first_line, mark.column + 1};
  }

  /// The message names the line by go-yaml's rule (decode.go, parser.fail), which is often the
  /// line before or none at all; the cause has the real place.
  std::unexpected<Error> failure() const {
    std::size_t line = parser_.problem_mark.line;
    if (line != 0) {
      line += parser_.error == YAML_SCANNER_ERROR ? 1 : 0;
    } else {
      line = parser_.context_mark.line;
    }
    std::string message = "yaml: ";
    if (line != 0) {
      message += "line " + std::to_string(line + options_.first_line) + ": ";
    }
    message +=
        parser_.problem != nullptr ? parser_.problem : "unknown problem parsing YAML content";
    return yaml_error(ErrorCode::parse, std::move(message), at(parser_.problem_mark));
  }

  Result<> take_event() {
    switch (event_->type) {
      case YAML_SCALAR_EVENT: {
        const auto& scalar = event_->data.scalar;
        const std::uint32_t id = add_node(YamlKind::scalar, scalar.anchor, scalar.tag);
        tree_.nodes[id].implicit = scalar.plain_implicit != 0;
        tree_.nodes[id].text = keep({reinterpret_cast<const char*>(scalar.value), scalar.length});
        return {};
      }
      case YAML_SEQUENCE_START_EVENT:
        return open(YamlKind::list, event_->data.sequence_start.anchor,
                    event_->data.sequence_start.tag);
      case YAML_MAPPING_START_EVENT:
        return open(YamlKind::mapping, event_->data.mapping_start.anchor,
                    event_->data.mapping_start.tag);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        close();
        return {};
      case YAML_ALIAS_EVENT:
        return add_alias();
      default:
        return {};
    }
  }

  std::uint32_t add_node(YamlKind kind, const yaml_char_t* anchor, const yaml_char_t* tag) {
    const auto id = static_cast<std::uint32_t>(tree_.nodes.size());
    tree_.nodes.push_back({.kind = kind, .position = here(), .text = {}, .tag = {}});
    if (tag != nullptr) {
      tree_.nodes.back().tag = keep(view_of(tag));
    }
    if (anchor != nullptr) {
      anchors_[std::string(view_of(anchor))] = id;
    }
    if (open_.empty()) {
      tree_.root = id;
    } else {
      pending_.push_back(id);
    }
    return id;
  }

  Result<> open(YamlKind kind, const yaml_char_t* anchor, const yaml_char_t* tag) {
    if (open_.size() >= static_cast<std::size_t>(options_.limits.depth)) {
      return yaml_error(ErrorCode::parse,
                        "yaml: exceeded max depth of " + std::to_string(options_.limits.depth),
                        here());
    }
    const std::uint32_t id = add_node(kind, anchor, tag);
    open_.push_back({id, pending_.size()});
    return {};
  }

  void close() {
    const Open container = open_.back();
    open_.pop_back();
    YamlNode& node = tree_.nodes[container.node];
    node.first_child = static_cast<std::uint32_t>(tree_.children.size());
    node.child_count = static_cast<std::uint32_t>(pending_.size() - container.first_pending);
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(container.first_pending);
    tree_.children.insert(tree_.children.end(), first, pending_.end());
    pending_.erase(first, pending_.end());
  }

  Result<> add_alias() {
    const std::string name(view_of(event_->data.alias.anchor));
    const auto target = anchors_.find(name);
    if (target == anchors_.end()) {
      return yaml_error(ErrorCode::parse, "yaml: unknown anchor '" + name + "' referenced", here());
    }
    const std::uint32_t id = add_node(YamlKind::alias, nullptr, nullptr);
    tree_.nodes[id].target = target->second;
    tree_.nodes[id].text = keep(name);
    return {};
  }

  std::string_view keep(std::string_view text) { return tree_.texts.emplace_back(text); }

  struct Open {
    std::uint32_t node;
    std::size_t first_pending;
  };

  const YamlOptions& options_;
  yaml_parser_t parser_{};
  Event event_;
  YamlTree tree_;
  std::vector<Open> open_;
  std::vector<std::uint32_t> pending_;
  std::unordered_map<std::string, std::uint32_t> anchors_;
};

}  // namespace

std::unexpected<Error> yaml_error(ErrorCode code, std::string message, Position position,
                                  std::string path) {
  constexpr std::string_view kPrefix = "yaml: ";
  std::string cause = message.starts_with(kPrefix) ? message.substr(kPrefix.size()) : message;
  if (cause.starts_with("line ")) {
    cause.erase(0, cause.find(": ") + 2);
  }
  return std::unexpected(
      Error{code, std::move(message), {{std::move(path), std::move(cause), position}}});
}

Result<YamlTree> read_yaml_tree(std::string_view text, const YamlOptions& options) {
  if (text.size() > options.limits.bytes) {
    return fail(ErrorCode::parse, "yaml: document has " + std::to_string(text.size()) +
                                      " bytes, the limit is " +
                                      std::to_string(options.limits.bytes));
  }
  return Reader(text, options).read();
}

}  // namespace tiphys::doc
