#include "doc/yaml.h"

#include "doc/yaml_nodes.h"

#include <optional>

namespace tiphys::doc {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// True for a line that is `mark` alone or followed by a blank.
bool is_marker(std::string_view line, std::string_view mark) {
  return line.starts_with(mark) && (line.size() == mark.size() || line[mark.size()] == ' ' ||
                                    line[mark.size()] == '\t' || line[mark.size()] == '\r');
}

/// One document's share of a YAML stream.
struct Chunk {
  std::string_view text;
  std::size_t first_line = 0;
};

/// Cuts a stream at its document markers, which can stand nowhere but at the start of a line.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<Chunk> split() {
    std::size_t line = 0;
    for (std::size_t at = 0; at < text_.size(); ++line) {
      const std::size_t end = std::min(text_.find('\n', at), text_.size() - 1) + 1;
      std::string_view content = text_.substr(at, end - at);
      content.remove_suffix(content.ends_with('\n') ? 1 : 0);
      if (is_marker(content, "---")) {
        if (!only_directives_) {
          cut(at, line);
        }
        only_directives_ = false;
      } else if (is_marker(content, "...")) {
        cut(end, line + 1);
      } else if (content.starts_with('%') && start_is_open_) {
        only_directives_ = true;
      } else if (content.find_first_not_of(" \t\r") != std::string_view::npos &&
                 !content.starts_with('#')) {
        only_directives_ = false;
        start_is_open_ = false;
      }
      at = end;
    }
    cut(text_.size(), line);
    return std::move(chunks_);
  }

 private:
  void cut(std::size_t end, std::size_t next_line) {
    if (end > start_) {
      chunks_.push_back({text_.substr(start_, end - start_), first_line_});
    }
    start_ = end;
    first_line_ = next_line;
    only_directives_ = false;
    start_is_open_ = true;
  }

  std::string_view text_;
  std::vector<Chunk> chunks_;
  std::size_t start_ = 0;
  std::size_t first_line_ = 0;
  /// Nothing but directives and comments since the last cut, and at least one directive: the next
  /// marker belongs to them.
  bool only_directives_ = false;
  /// Nothing but blank lines, comments and directives since the last cut.
  bool start_is_open_ = true;
};

/// A chunk that starts with a brace, without the marker line before it; else nothing.
std::optional<Chunk> json_part(Chunk chunk) {
  if (chunk.text.starts_with("---")) {
    const std::size_t end = chunk.text.find('\n');
    if (chunk.text.find_first_not_of(" \t\r\n", 3) <= end || end == std::string_view::npos) {
      return std::nullopt;
    }
    chunk.text.remove_prefix(end + 1);
    ++chunk.first_line;
  }
  const std::size_t brace = chunk.text.find_first_not_of(" \t\r\n");
  if (brace == std::string_view::npos || chunk.text[brace] != '{') {
    return std::nullopt;
  }
  return chunk;
}

/// Whether a text that is no JSON was meant as JSON: its first key is quoted.
bool was_meant_as_json(std::string_view text) {
  const std::size_t brace = text.find('{');
  const std::size_t next = text.find_first_not_of(" \t\r\n", brace + 1);
  return next != std::string_view::npos && text[next] == '"';
}

Result<LocatedValue> parse_chunk(const Chunk& chunk, YamlOptions options) {
  const std::size_t first_line = options.first_line;
  if (const auto json = json_part(chunk)) {
    options.first_line = first_line + json->first_line;
    auto document = parse_located_json(json->text, options);
    if (document || document.error().code != ErrorCode::parse || was_meant_as_json(json->text)) {
      return document;
    }
  }
  options.first_line = first_line + chunk.first_line;
  return parse_yaml(chunk.text, options);
}

}  // namespace

Result<LocatedValue> parse_yaml(std::string_view text, const YamlOptions& options) {
  TRY(const YamlTree tree, read_yaml_tree(text, options));
  return decode_yaml_tree(tree, options);
}

std::vector<Result<LocatedValue>> parse_manifests(std::string_view text,
                                                  const YamlOptions& options) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  std::vector<Result<LocatedValue>> documents;
  for (const Chunk& chunk : Splitter(text).split()) {
    auto document = parse_chunk(chunk, options);
    if (!document || !document->value.is_null()) {
      documents.push_back(std::move(document));
    }
  }
  return documents;
}

}  // namespace tiphys::doc
