#pragma once
/// URLs as Go's package net/url cuts them. Private to the module.

#include "base/error.h"

#include <optional>
#include <string>
#include <string_view>

namespace tiphys::lang::sprig {

/// Who, in front of the host; unescaped.
struct UserInfo {
  std::string name;
  std::optional<std::string> password;

  /// Escaped: "name:password".
  std::string text() const;
};

/// The parts, unescaped but for the query.
struct Url {
  std::string scheme;
  std::string opaque;
  std::optional<UserInfo> user;
  std::string host;
  std::string path;
  std::string query;
  std::string fragment;

  /// The host without its port and without the brackets of an IPv6 address.
  std::string hostname() const;
  std::string text() const;
};

/// Go's url.Parse. Errors (invalid) carry Go's text: `parse "::": missing protocol scheme`.
Result<Url> parse_url(std::string_view text);

}  // namespace tiphys::lang::sprig
