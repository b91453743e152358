// Tables jsonpath and jq.

#include "lang/jq/jq.h"
#include "lang/jsonpath/template.h"
#include "reader.h"

#include <boost/json.hpp>

#include <fstream>
#include <iterator>

namespace tiphys::table {
namespace {

using namespace lang;

/// A document of the side file, which holds them as texts.
Result<doc::Value> document_of(const Case& one) {
  static const doc::Value kTexts = [&one] {
    std::ifstream file(one.folder / "documents.json");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return doc::parse_json(text).value_or(doc::Value());
  }();
  return doc::parse_json(text_at(kTexts, text_at(one.in, "doc")));
}

Result<std::string> fill(const Case& one) {
  TRY(const doc::Value document, document_of(one));
  TRY(const auto parsed, JsonPathTemplate::parse(text_at(one.in, "template")));
  return parsed.execute(
      document, flag_at(one.in, "allowMissingKeys") ? MissingKeys::allow : MissingKeys::refuse);
}

Result<std::string> filter(const Case& one) {
  TRY(const doc::Value document, document_of(one));
  TRY(const auto compiled, JqFilter::compile(text_at(one.in, "filter")));
  return compiled.text(document);
}

}  // namespace

Outcome read_jq(const Case& one) { return text_outcome(filter(one)); }

Outcome read_jsonpath(const Case& one) { return text_outcome(fill(one)); }

}  // namespace tiphys::table
