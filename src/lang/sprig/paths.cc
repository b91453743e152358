/// Slash-separated paths as Go's packages path and (on Unix) path/filepath treat them.
#include "lang/sprig/functions.h"

#include <fmt/format.h>

namespace tiphys::lang::sprig {
namespace {

std::string clean_path(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!rooted) {
      parts.push_back(part);
    }
  }
  std::string out = fmt::format("{}{}", rooted ? "/" : "", fmt::join(parts, "/"));
  return out.empty() ? "." : out;
}

std::string base_of(std::string_view path) {
  if (path.empty()) {
    return ".";
  }
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  path.remove_prefix(path.rfind('/') + 1);
  return path.empty() ? "/" : std::string(path);
}

std::string directory_of(std::string_view path) {
  return clean_path(path.substr(0, path.rfind('/') + 1));
}

std::string_view extension_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(dot);
}

Answer base(const Call& call) { return text_answer(call, base_of(call.text(0))); }

Answer dir(const Call& call) { return text_answer(call, directory_of(call.text(0))); }

Answer clean(const Call& call) { return text_answer(call, clean_path(call.text(0))); }

Answer ext(const Call& call) { return text_answer(call, std::string(extension_of(call.text(0)))); }

Answer is_abs(const Call& call) { return ExprValue::boolean(call.text(0).starts_with('/')); }

constexpr Function kFunctions[] = {
    {"base", "func(string) string", base},   {"dir", "func(string) string", dir},
    {"clean", "func(string) string", clean}, {"ext", "func(string) string", ext},
    {"isAbs", "func(string) bool", is_abs},  {"osBase", "func(string) string", base},
    {"osDir", "func(string) string", dir},   {"osClean", "func(string) string", clean},
    {"osExt", "func(string) string", ext},   {"osIsAbs", "func(string) bool", is_abs},
};

}  // namespace

std::span<const Function> path_functions() { return kFunctions; }

}  // namespace tiphys::lang::sprig
