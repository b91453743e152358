#pragma once
/// Semantic versions and constraints on them. Private to the module.
/// Source of the rules: Masterminds/semver v3.5.0, error texts included.

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::lang::sprig {

struct Version {
  std::uint64_t major_number = 0;
  std::uint64_t minor_number = 0;
  std::uint64_t patch_number = 0;
  std::string prerelease;
  std::string metadata;
  /// As it was written.
  std::string original;

  /// "1.2.3-beta.1+build".
  std::string text() const;
};

/// "1", "v1.2" and leading zeros are accepted. Errors: invalid.
Result<Version> parse_version(std::string_view text);
/// -1, 0 or 1; metadata does not count.
int compare(const Version& a, const Version& b);
/// The same of what stands behind the dash alone; empty texts are equal.
int compare_prereleases(std::string_view left, std::string_view right);
/// Whether the version fits a constraint such as ">=1.2, <3 || ~4.1". Errors: invalid, for a
/// constraint or a version that cannot be read.
Result<bool> version_fits(std::string_view constraint, std::string_view version);

}  // namespace tiphys::lang::sprig
