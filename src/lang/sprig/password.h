#pragma once
/// Passwords derived from a master password. Private to the module.

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace tiphys::lang::sprig {

struct PasswordRequest {
  std::uint32_t counter = 1;
  /// maximum, long, medium, short, basic, pin.
  std::string_view kind;
  std::string_view password;
  std::string_view user;
  std::string_view site;
};

/// The password of a site by the Master Password algorithm (masterpasswordapp.com, version 0).
/// Unknown kinds are told in the result, as upstream does. Errors: internal.
Result<std::string> derived_password(const PasswordRequest& request);

}  // namespace tiphys::lang::sprig
