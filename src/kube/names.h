#pragma once
/// Names that the API server makes up, and which names it takes.

#include "async/random.h"

#include <string>
#include <string_view>

namespace tiphys::kube {

/// A random UUID (version 4) in lower case.
std::string new_uid(async::Random& random);
/// A name for `metadata.generateName`: the base, cut to 58 characters, and five random ones
/// (apiserver pkg/storage/names/generate.go).
std::string generate_name(async::Random& random, std::string_view base);

/// What most objects may be called, an RFC 1123 subdomain: at most 253 characters (apimachinery
/// util/validation).
bool is_dns_subdomain(std::string_view name);
/// What a namespace may be called, an RFC 1123 label: at most 63 characters.
bool is_dns_label(std::string_view name);

}  // namespace tiphys::kube
