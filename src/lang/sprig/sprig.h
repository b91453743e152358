#pragma once
/// `sprig.*` inside expressions: every function of the library's generic table except env and
/// expandenv. The nouns: `SprigContext`, what the functions may know of the world (the time,
/// random bytes, names of hosts); `sprig_functions`, the namespace to put into an environment.
/// Functions are pure otherwise: set, unset and merge give a new map and leave their argument
/// alone, while upstream changes it in place.
///
/// Source of the rules: github.com/Masterminds/sprig v3.3.0 (GenericFuncMap) with the libraries it
/// is linked with in Argo Workflows v4.1.2 (spf13/cast 1.10, Masterminds/semver 3.5, mergo 1.0);
/// error texts are theirs.

#include "lang/expr/expr.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::lang {

/// What is missing here makes the functions that want it fail.
struct SprigContext {
  /// The present; without it the clock of the run (ExprRuntime::now) is asked.
  std::function<Instant()> now;
  /// Fills the span with random bytes fit for secrets. Keys of certificates are the exception:
  /// OpenSSL makes those with its own generator.
  std::function<void(std::span<unsigned char>)> random;
  /// The addresses of a host, for getHostByName; empty when there are none.
  std::function<std::vector<std::string>(std::string_view host)> lookup_host;
};

/// The namespace as one value: a map of functions.
ExprValue sprig_functions(SprigContext context);

/// Adds the namespace to a table under the name `sprig`.
void add_sprig(ExprTable& table, SprigContext context);

}  // namespace tiphys::lang
