#include "lang/gotime/gotime.h"

#include <cstdint>

// A layout up to the first zero byte, then a time; the whole is read as a duration and as a
// compiled zone file too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tiphys::lang;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view layout = input.substr(0, input.find('\0'));
  const std::string_view text = input.substr(std::min(layout.size() + 1, input.size()));
  static_cast<void>(parse_duration(layout));
  if (const auto time = parse_time(layout, text)) {
    static_cast<void>(time->format(layout));
  }
  static_cast<void>(Instant{.unix_seconds = 1'709'029'053}.format(layout));
  if (const auto zone = Zone::from_tzif("fuzz", input)) {
    for (const std::int64_t seconds : {-5'000'000'000, 0L, 1'709'029'053L, 9'000'000'000L}) {
      static_cast<void>((*zone)->at(seconds));
      static_cast<void>((*zone)->wall_clock_offset(seconds));
    }
  }
  return 0;
}
