#include "lang/sprig/version.h"

#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"
#include "lang/sprig/objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiphys::lang::sprig {
namespace {

constexpr std::string_view kNotAVersion = "invalid semantic version";

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

bool is_identifier(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

bool all_decimal(std::string_view text) { return std::ranges::all_of(text, is_decimal); }

/// Takes characters from the front as long as they fit.
template <class Fits>
std::string_view take_while(std::string_view& text, Fits fits) {
  const auto end = std::ranges::find_if_not(text, fits);
  const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

Result<std::uint64_t> parse_segment(std::string_view digits) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc()) {
    return failure(fmt::format(
        "error parsing version segment: strconv.ParseUint: parsing {}: value out of range",
        quote(digits)));
  }
  return number;
}

/// Identifiers with dots between them, behind `mark`; empty when the mark is not there.
Result<std::string> take_identifiers(std::string_view& rest, char mark) {
  if (!rest.starts_with(mark)) {
    return "";
  }
  rest.remove_prefix(1);
  const std::string_view all =
      take_while(rest, [](char c) { return is_identifier(c) || c == '.'; });
  const bool gap = all.empty() || all.starts_with('.') || all.ends_with('.') ||
                   all.find("..") != std::string_view::npos;
  return gap ? Result<std::string>(failure(std::string(kNotAVersion))) : std::string(all);
}

Result<> check_leading_zeros(std::string_view identifiers) {
  while (!identifiers.empty()) {
    const std::string_view part = identifiers.substr(0, identifiers.find('.'));
    if (part.size() > 1 && part[0] == '0' && all_decimal(part)) {
      return failure("version segment starts with 0");
    }
    identifiers.remove_prefix(std::min(part.size() + 1, identifiers.size()));
  }
  return {};
}

int compare_numbers(std::uint64_t a, std::uint64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

int compare_identifiers(std::string_view a, std::string_view b) {
  if (a == b) {
    return 0;
  }
  if (a.empty() || b.empty()) {
    return a.empty() ? -1 : 1;
  }
  const auto number_of = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    return whole ? std::optional(number) : std::nullopt;
  };
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right) {
    return *left > *right ? 1 : -1;
  }
  if (left || right) {
    return left ? -1 : 1;
  }
  return a > b ? 1 : -1;
}

}  // namespace

std::string Version::text() const {
  std::string out = fmt::format("{}.{}.{}", major_number, minor_number, patch_number);
  out += prerelease.empty() ? "" : "-" + prerelease;
  out += metadata.empty() ? "" : "+" + metadata;
  return out;
}

Result<Version> parse_version(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  if (text.size() > kLongest) {
    return failure("version string is too long (max 256 bytes)");
  }
  Version out{.original = std::string(text)};
  std::string_view rest = text;
  rest.remove_prefix(rest.starts_with('v') ? 1 : 0);
  std::vector<std::string_view> segments = {take_while(rest, is_decimal)};
  while (segments.size() < 3 && rest.size() > 1 && rest[0] == '.' && is_decimal(rest[1])) {
    rest.remove_prefix(1);
    segments.push_back(take_while(rest, is_decimal));
  }
  TRY(out.prerelease, take_identifiers(rest, '-'));
  TRY(out.metadata, take_identifiers(rest, '+'));
  if (segments[0].empty() || !rest.empty()) {
    return failure(std::string(kNotAVersion));
  }
  TRY(out.major_number, parse_segment(segments[0]));
  if (segments.size() > 1) {
    TRY(out.minor_number, parse_segment(segments[1]));
  }
  if (segments.size() > 2) {
    TRY(out.patch_number, parse_segment(segments[2]));
  }
  TRY_VOID(check_leading_zeros(out.prerelease));
  return out;
}

int compare_prereleases(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    const std::string_view a = left.substr(0, left.find('.'));
    const std::string_view b = right.substr(0, right.find('.'));
    if (const int order = compare_identifiers(a, b); order != 0) {
      return order;
    }
    left.remove_prefix(std::min(a.size() + 1, left.size()));
    right.remove_prefix(std::min(b.size() + 1, right.size()));
  }
  return 0;
}

int compare(const Version& a, const Version& b) {
  for (const int order : {compare_numbers(a.major_number, b.major_number),
                          compare_numbers(a.minor_number, b.minor_number),
                          compare_numbers(a.patch_number, b.patch_number)}) {
    if (order != 0) {
      return order;
    }
  }
  if (a.prerelease.empty() || b.prerelease.empty()) {
    return a.prerelease.empty() && b.prerelease.empty() ? 0 : a.prerelease.empty() ? 1 : -1;
  }
  return compare_prereleases(a.prerelease, b.prerelease);
}

namespace {

constexpr Function kFunctions[] = {
    {"semver", "func(string) (*semver.Version, error)",
     [](const Call& call) -> Answer {
       TRY(Version version, parse_version(call.text(0)));
       return version_value(std::move(version));
     }},
    {"semverCompare", "func(string, string) (bool, error)",
     [](const Call& call) -> Answer {
       constexpr std::size_t kCompileSteps = 500;
       TRY_VOID(call.run.step(kCompileSteps));
       TRY(const bool fits, version_fits(call.text(0), call.text(1)));
       return ExprValue::boolean(fits);
     }},
};

}  // namespace

std::span<const Function> version_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
