#include "lang/jsonpath/template.h"

#include "lang/gotext/gotext.h"
#include "lang/jsonpath/parser.h"
#include "lang/jsonpath/walker.h"

#include <boost/json.hpp>

namespace tiphys::lang {
namespace {

constexpr std::size_t kMaximumText = std::size_t{64} << 10U;
constexpr std::size_t kMaximumOutput = std::size_t{16} << 20U;

void append_value(std::string& out, const doc::Value& value) {
  if (value.is_string()) {
    out += doc::text_of(value.get_string());
  } else if (value.is_double() || value.is_uint64()) {
    // kubectl reads what does not fit into int64 as a float64.
    out += float_text(value.to_number<double>());
  } else {
    doc::append_json(out, value, {.sort_keys = true});
  }
}

struct Printer {
  std::string& out;

  void operator()(std::monostate) const { out += "<no value>"; }

  void operator()(const doc::Value* value) const { append_value(out, *value); }

  void operator()(const std::string* text) const { out += *text; }

  void operator()(std::int64_t integer) const { out += std::to_string(integer); }

  void operator()(double number) const { out += float_text(number); }

  void operator()(bool flag) const { out += flag ? "true" : "false"; }

  void operator()(unsigned char byte) const { out += std::to_string(byte); }
};

}  // namespace

Result<JsonPathTemplate> JsonPathTemplate::parse(std::string_view text) {
  if (text.size() > kMaximumText) {
    return fail(ErrorCode::invalid, "the template is longer than 64 KiB");
  }
  TRY(JsonPathNode root, parse_json_path(text));
  return JsonPathTemplate(std::make_shared<const JsonPathNode>(std::move(root)));
}

Result<std::string> JsonPathTemplate::execute(const doc::Value& document,
                                              MissingKeys missing) const {
  TRY(const auto results, JsonPathWalker(*root_, missing).run(document));
  std::string out;
  for (const JsonPathItems& items : results) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      out += i == 0 ? "" : " ";
      std::visit(Printer{out}, items[i]);
      if (out.size() > kMaximumOutput) {
        return fail(ErrorCode::invalid, "the template leaves more than 16 MiB");
      }
    }
  }
  return out;
}

}  // namespace tiphys::lang
