#include "doc/json.h"
#include "lang/jsonpath/template.h"

#include <cstdint>

// The template up to the first zero byte, then the document; without one a document of all kinds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  const auto parsed = lang::JsonPathTemplate::parse(input.substr(0, zero));
  if (!parsed) {
    return 0;
  }
  const auto document =
      doc::parse_json(zero == std::string_view::npos
                          ? R"({"a":[1,2,{"b":"x","c":null}],"b":{"c":[[1.5,true],"text"]}})"
                          : input.substr(zero + 1));
  if (document) {
    static_cast<void>(parsed->execute(*document, lang::MissingKeys::allow));
    static_cast<void>(parsed->execute(*document, lang::MissingKeys::refuse));
  }
  return 0;
}
