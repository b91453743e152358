#pragma once
/// The files of schemas/ as they lie in the program. Private to this module.

#include <span>
#include <string_view>

namespace tiphys::kube {

struct EmbeddedFile {
  std::string_view id;
  const char* begin;
  const char* end;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace tiphys::kube
