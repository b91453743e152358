#pragma once
/// The Go structs the functions give and take. Private to the module.

#include "lang/expr/value.h"
#include "lang/sprig/version.h"

namespace tiphys::lang::sprig {

/// A certificate with its private key, both PEM.
struct Certificate {
  std::string cert;
  std::string key;
};

ExprValue certificate_value(Certificate certificate);
/// The certificate behind such a value.
const Certificate& certificate_of(const ExprValue& value);
/// A *semver.Version.
ExprValue version_value(Version version);
/// Go's type `error`; no value has it.
ExprType error_type();

}  // namespace tiphys::lang::sprig
