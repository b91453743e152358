#include "lang/cron/cron.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto schedule = tiphys::lang::parse_cron(text, nullptr)) {
    static_cast<void>(tiphys::lang::next_time(*schedule, {.unix_seconds = 1'709'029'053}));
  }
  static_cast<void>(tiphys::lang::parse_cron(text, nullptr, tiphys::lang::CronSyntax::five_fields,
                                             tiphys::lang::UnknownZones::accept));
  return 0;
}
