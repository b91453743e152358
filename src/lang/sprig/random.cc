/// Functions that draw from the randomness handed in, and the one that asks for hosts.
#include "lang/gotext/gotext.h"
#include "lang/sprig/encoding.h"
#include "lang/sprig/functions.h"

#include <fmt/format.h>

namespace tiphys::lang::sprig {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kLettersAndDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of the set, every one equally likely; none for a negative count.
Answer drawn(const Call& call, std::string_view set) {
  if (call.integer(0) <= 0) {
    return text_answer(call, "");
  }
  const auto count = static_cast<std::size_t>(call.integer(0));
  TRY_VOID(call.run.charge_text(count));
  TRY_VOID(call.run.step(count));
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(const std::uint64_t place, random_below(call, set.size()));
    out.push_back(set[place]);
  }
  return ExprValue::string(std::move(out));
}

/// The printable characters of ASCII, the blank among them.
std::string_view printable() {
  static const std::string all = [] {
    std::string out;
    for (char c = ' '; c < '\x7F'; ++c) {
      out.push_back(c);
    }
    return out;
  }();
  return all;
}

Answer rand_bytes(const Call& call) {
  if (call.integer(0) < 0) {
    return go_panic("makeslice: len out of range");
  }
  const auto count = static_cast<std::size_t>(call.integer(0));
  TRY_VOID(call.run.charge_text(count));
  TRY(const std::string bytes, random_bytes(call, count));
  return text_answer(call, base64_encode(bytes));
}

Answer rand_int(const Call& call) {
  const auto low = static_cast<std::uint64_t>(call.integer(0));
  const auto width = static_cast<std::uint64_t>(call.integer(1)) - low;
  if (static_cast<std::int64_t>(width) <= 0) {
    return failure("invalid argument to Intn");
  }
  TRY(const std::uint64_t number, random_below(call, width));
  return ExprValue::integer(static_cast<std::int64_t>(number + low));
}

/// RFC 9562, version 4.
Answer uuid(const Call& call) {
  constexpr std::size_t kBytes = 16;
  TRY(std::string bytes, random_bytes(call, kBytes));
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  const std::string hex = hex_encode(bytes);
  return text_answer(call, fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4),
                                       hex.substr(12, 4), hex.substr(16, 4), hex.substr(20)));
}

/// One of the addresses of a host.
Answer get_host_by_name(const Call& call) {
  constexpr std::size_t kAskSteps = 100'000;
  TRY_VOID(call.run.step(kAskSteps));
  if (!call.context.lookup_host) {
    return fail(ErrorCode::unavailable, "hosts cannot be looked up here");
  }
  const std::vector<std::string> addresses = call.context.lookup_host(call.text(0));
  if (addresses.empty()) {
    return failure("invalid argument to Intn");
  }
  TRY(const std::uint64_t place, random_below(call, addresses.size()));
  return text_answer(call, addresses[place]);
}

constexpr Function kFunctions[] = {
    {"randAlphaNum", "func(int) string",
     [](const Call& call) { return drawn(call, kLettersAndDigits); }},
    {"randAlpha", "func(int) string", [](const Call& call) { return drawn(call, kLetters); }},
    {"randAscii", "func(int) string", [](const Call& call) { return drawn(call, printable()); }},
    {"randNumeric", "func(int) string", [](const Call& call) { return drawn(call, kDigits); }},
    {"randBytes", "func(int) (string, error)", rand_bytes},
    {"randInt", "func(int, int) int", rand_int},
    {"uuidv4", "func() string", uuid},
    {"getHostByName", "func(string) string", get_host_by_name},
};

}  // namespace

std::span<const Function> random_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
