#include "lang/duration/api_values.h"

using namespace tiphys::lang;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_duration(text));
  if (const auto duration = duration_from_json(text);
      duration && duration_from_json(duration_to_json(*duration)) != *duration) {
    __builtin_trap();
  }
  for (const auto form : {TimeForm::seconds, TimeForm::microseconds}) {
    if (const auto instant = time_from_json(text, form)) {
      static_cast<void>(time_to_json(*instant, form));
    }
  }
  if (const auto value = IntOrString::from_json(text)) {
    static_cast<void>(value->scaled(7, IntOrString::Rounding::up));
    if (IntOrString::from_json(value->to_json()) != *value) {
      __builtin_trap();
    }
  }
  return 0;
}
