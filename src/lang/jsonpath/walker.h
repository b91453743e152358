#pragma once
/// Finds what a template names in a document. Private to the module.

#include "base/error.h"
#include "doc/json.h"
#include "lang/jsonpath/node.h"
#include "lang/jsonpath/template.h"

#include <optional>
#include <variant>
#include <vector>

namespace tiphys::lang {

/// One found value: of the document, written in the template, a byte of a text, or nothing at all
/// (the input of a range over nothing).
using JsonPathItem = std::variant<std::monostate, const doc::Value*, const std::string*,
                                  std::int64_t, double, bool, unsigned char>;
using JsonPathItems = std::vector<JsonPathItem>;

class JsonPathWalker {
 public:
  JsonPathWalker(const JsonPathNode& root, MissingKeys missing) : root_(root), missing_(missing) {}

  /// What each text and action gives, those in ranges once a round. The items point into the
  /// document and the template.
  Result<std::vector<JsonPathItems>> run(const doc::Value& document);

 private:
  /// Upstream's filters look at what was found before an error, so both are told.
  struct Found {
    JsonPathItems items;
    std::optional<Error> error;
  };

  Result<std::vector<JsonPathItems>> find(const JsonPathItem& input, std::size_t first);
  Result<> run_range(const JsonPathItems& inputs, std::size_t body,
                     std::vector<JsonPathItems>& out);
  Found walk(const JsonPathItems& inputs, const JsonPathNode& node);
  Found walk_list(JsonPathItems inputs, const JsonPathNode& node);
  Found walk_identifier(const JsonPathItems& inputs, const JsonPathNode& node);
  Found walk_field(const JsonPathItems& inputs, const JsonPathNode& node);
  Found walk_slice(const JsonPathItems& inputs, const JsonPathNode& node);
  Found walk_union(const JsonPathItems& inputs, const JsonPathNode& node);
  Found walk_filter(const JsonPathItems& inputs, const JsonPathNode& node);
  Result<bool> passes(const JsonPathItem& element, const JsonPathNode& node);
  void descend(const JsonPathItems& inputs, JsonPathItems& out);
  Result<> step(std::size_t count);

  const JsonPathNode& root_;
  MissingKeys missing_;
  std::size_t steps_ = 0;
  /// Upstream's bookkeeping: ranges begun and not entered, entered, ends met and not used.
  int begun_ = 0;
  int inside_ = 0;
  int ended_ = 0;
  std::optional<std::size_t> last_end_;
};

}  // namespace tiphys::lang
