#include "lang/goregex/goregex.h"

#include <cstdint>

// The pattern up to the first zero byte, then the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = input.substr(0, input.find('\0'));
  const auto compiled = tiphys::lang::compile_regex(pattern);
  if (!compiled) {
    return 0;
  }
  const auto groups = static_cast<std::size_t>((*compiled)->NumberOfCapturingGroups()) + 1;
  tiphys::lang::RegexMatches matches(**compiled, input.substr(pattern.size()), groups);
  while (matches.next()) {
  }
  return 0;
}
