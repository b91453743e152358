/// Constraints on versions: "^1.2 || >=3.1, <4".
#include "lang/gotext/gotext.h"
#include "lang/sprig/functions.h"
#include "lang/sprig/version.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <array>

namespace tiphys::lang::sprig {
namespace {

/// How much of a constraint's version was left open ("1.x", "2").
enum class Open { nothing, patch, minor, major };

struct Constraint {
  std::string operation;
  Version version;
  Open open = Open::nothing;
};

/// A version with wildcards: whole text, major, .minor, .patch, -prerelease, ... The class takes a
/// bar for a digit, as upstream's does.
constexpr std::string_view kVersion =
    R"re((v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(-(?:[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?)re"
    R"re((?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?))re";
constexpr std::string_view kOperation = R"re((=|!=|>|<|>=|=>|<=|=<|~|~>|\^|))re";
/// Go's \s, which does not hold the vertical tab.
constexpr std::string_view kBlank = R"re([\t\n\f\r ])re";

struct Patterns {
  RE2 one = RE2(fmt::format("{0}{1}*{2}", kOperation, kBlank, kVersion));
  RE2 group = RE2(fmt::format("{1}*{0}{1}*{2}{1}*(?:(?:{1}+|,{1}*){0}{1}*{2}{1}*)*", kOperation,
                              kBlank, kVersion));
  RE2 range = RE2(fmt::format("({1}*{0}{1}+-{1}+{0}{1}*)", kVersion, kBlank));
};

const Patterns& patterns() {
  static const Patterns all;
  return all;
}

/// "1.0 - 2.0" as ">= 1.0, <= 2.0 ".
std::string without_ranges(std::string_view text) {
  std::string out(text);
  re2::StringPiece rest(text.data(), text.size());
  const RE2& range = patterns().range;
  std::array<re2::StringPiece, 12> groups;
  constexpr int kSecond = 7;
  while (range.Match(rest, 0, rest.size(), RE2::UNANCHORED, groups.data(), kSecond + 1)) {
    const std::string whole = groups[0].as_string();
    const std::string rewritten =
        fmt::format(">= {}, <= {} ", groups[2].as_string(), groups[kSecond].as_string());
    out.replace(out.find(whole), whole.size(), rewritten);
    rest.remove_prefix(static_cast<std::size_t>(groups[0].end() - rest.begin()));
  }
  return out;
}

bool is_wildcard(std::string_view part) {
  part.remove_prefix(part.starts_with('.') ? 1 : 0);
  return part.empty() || part == "x" || part == "X" || part == "*";
}

Result<Constraint> parse_one(std::span<const re2::StringPiece> groups) {
  const auto part = [&](std::size_t i) { return std::string(groups[i].data(), groups[i].size()); };
  Constraint out{.operation = part(1)};
  const std::string prerelease = part(6);
  std::string version = part(2);
  if (is_wildcard(part(3))) {
    out.open = Open::major;
    version = "0.0.0" + prerelease;
  } else if (is_wildcard(part(4))) {
    out.open = Open::minor;
    version = part(3) + ".0.0" + prerelease;
  } else if (is_wildcard(part(5))) {
    out.open = Open::patch;
    version = part(3) + part(4) + ".0" + prerelease;
  }
  auto parsed = parse_version(version);
  if (!parsed) {
    return failure("constraint parser error");
  }
  out.version = *std::move(parsed);
  return out;
}

/// Constraints that must all hold.
Result<std::vector<Constraint>> parse_group(std::string_view text) {
  const re2::StringPiece piece(text.data(), text.size());
  if (!RE2::FullMatch(piece, patterns().group)) {
    return failure("improper constraint: " + quote(text));
  }
  std::vector<Constraint> out;
  std::array<re2::StringPiece, 7> groups;
  std::size_t at = 0;
  while (patterns().one.Match(piece, at, piece.size(), RE2::UNANCHORED, groups.data(),
                              static_cast<int>(groups.size()))) {
    at = static_cast<std::size_t>(groups[0].end() - piece.begin());
    TRY(Constraint one, parse_one(groups));
    out.push_back(std::move(one));
  }
  return out;
}

bool is_open(const Constraint& wanted) { return wanted.open != Open::nothing; }

bool differs(const Version& v, const Constraint& wanted) {
  const Version& c = wanted.version;
  if (is_open(wanted)) {
    if (c.major_number != v.major_number) {
      return true;
    }
    if (wanted.open == Open::minor) {
      return false;
    }
    if (c.minor_number != v.minor_number) {
      return true;
    }
    if (wanted.open == Open::patch) {
      return compare_prereleases(v.prerelease, c.prerelease) != 0;
    }
    if (c.patch_number != v.patch_number) {
      return true;
    }
  }
  return compare(v, c) != 0;
}

bool is_greater(const Version& v, const Constraint& wanted) {
  const Version& c = wanted.version;
  if (!is_open(wanted)) {
    return compare(v, c) > 0;
  }
  if (v.major_number != c.major_number) {
    return v.major_number > c.major_number;
  }
  if (wanted.open == Open::minor) {
    return false;
  }
  return wanted.open == Open::patch ? v.minor_number > c.minor_number : compare(v, c) > 0;
}

bool is_at_most(const Version& v, const Constraint& wanted) {
  const Version& c = wanted.version;
  if (!is_open(wanted)) {
    return compare(v, c) <= 0;
  }
  const bool above_minor = v.major_number == c.major_number && v.minor_number > c.minor_number &&
                           wanted.open != Open::minor;
  return v.major_number <= c.major_number && !above_minor;
}

/// ~1.2.3: from there to below 1.3.
bool is_near(const Version& v, const Constraint& wanted) {
  const Version& c = wanted.version;
  if (compare(v, c) < 0) {
    return false;
  }
  const bool zero = c.major_number == 0 && c.minor_number == 0 && c.patch_number == 0;
  if (zero && wanted.open != Open::minor && wanted.open != Open::patch) {
    return true;
  }
  return v.major_number == c.major_number &&
         (v.minor_number == c.minor_number || wanted.open == Open::minor);
}

/// ^1.2.3: the first number that is not 0 stays.
bool is_compatible(const Version& v, const Constraint& wanted) {
  const Version& c = wanted.version;
  if (compare(v, c) < 0) {
    return false;
  }
  if (c.major_number > 0 || wanted.open == Open::minor) {
    return v.major_number == c.major_number;
  }
  if (v.major_number > 0) {
    return false;
  }
  if (c.minor_number > 0 || wanted.open == Open::patch) {
    return v.minor_number == c.minor_number;
  }
  return v.minor_number == 0 && c.patch_number == v.patch_number;
}

bool holds(const Version& version, const Constraint& wanted) {
  const std::string& operation = wanted.operation;
  if (operation == "!=") {
    return differs(version, wanted);
  }
  if (operation == ">") {
    return is_greater(version, wanted);
  }
  if (operation == "<") {
    return compare(version, wanted.version) < 0;
  }
  if (operation == ">=" || operation == "=>") {
    return compare(version, wanted.version) >= 0;
  }
  if (operation == "<=" || operation == "=<") {
    return is_at_most(version, wanted);
  }
  if (operation == "^") {
    return is_compatible(version, wanted);
  }
  const bool tilde = operation.starts_with('~') || is_open(wanted);
  return tilde ? is_near(version, wanted) : compare(version, wanted.version) == 0;
}

/// A prerelease fits only a group that names one.
bool group_holds(const Version& version, const std::vector<Constraint>& group) {
  bool names_prerelease = false;
  for (const Constraint& wanted : group) {
    names_prerelease = names_prerelease || !wanted.version.prerelease.empty();
  }
  if (!version.prerelease.empty() && !names_prerelease) {
    return group.empty();
  }
  return std::ranges::all_of(group,
                             [&](const Constraint& wanted) { return holds(version, wanted); });
}

}  // namespace

Result<bool> version_fits(std::string_view constraint, std::string_view version_text) {
  constexpr std::size_t kLongest = 512;
  constexpr std::size_t kMostGroups = 32;
  if (constraint.size() > kLongest) {
    return failure("constraint string is too long (max 512 bytes)");
  }
  const std::string text = without_ranges(constraint);
  std::vector<std::string_view> parts;
  std::string_view rest = text;
  for (std::size_t bar = rest.find("||"); bar != std::string_view::npos; bar = rest.find("||")) {
    parts.push_back(rest.substr(0, bar));
    rest.remove_prefix(bar + 2);
  }
  parts.push_back(rest);
  if (parts.size() > kMostGroups) {
    return failure("too many constraint groups (max 32)");
  }
  std::vector<std::vector<Constraint>> groups;
  for (const std::string_view part : parts) {
    TRY(auto group, parse_group(part));
    groups.push_back(std::move(group));
  }
  TRY(const Version version, parse_version(version_text));
  return std::ranges::any_of(groups,
                             [&](const auto& group) { return group_holds(version, group); });
}

}  // namespace tiphys::lang::sprig
