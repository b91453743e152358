#pragma once
/// The keeper program, carried inside this one.

#include <string_view>

namespace tiphys::node {

/// A static executable for this machine's architecture.
std::string_view keeper_image();

}  // namespace tiphys::node
