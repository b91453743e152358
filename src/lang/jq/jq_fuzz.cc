#include "lang/jq/jq.h"

#include <cstdint>

// The filter up to the first zero byte, then the document; without one a document of all kinds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  const auto filter = lang::JqFilter::compile(input.substr(0, zero));
  if (!filter) {
    return 0;
  }
  const auto document =
      doc::parse_json(zero == std::string_view::npos
                          ? R"({"a":[1,2.5,{"b":"x é","c":null}],"b":{"c":[[true,-3],"text"]}})"
                          : input.substr(zero + 1));
  if (document) {
    lang::JqOptions options;
    options.now = [] { return lang::Instant{.unix_seconds = 1'700'000'000}; };
    options.steps = 20'000;
    static_cast<void>(filter->text(*document, options));
  }
  return 0;
}
