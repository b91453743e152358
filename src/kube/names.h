#pragma once
/// Names that the API server makes up.

#include "async/random.h"

#include <string>
#include <string_view>

namespace tiphys::kube {

/// A random UUID (version 4) in lower case.
std::string new_uid(async::Random& random);
/// A name for `metadata.generateName`: the base, cut to 58 characters, and five random ones
/// (apiserver pkg/storage/names/generate.go).
std::string generate_name(async::Random& random, std::string_view base);

}  // namespace tiphys::kube
