#include "executor/fingerprint.h"

#include "artifacts/files.h"

#include <boost/json.hpp>
#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::executor {
namespace {

/// Changes when the meaning of a key changes: keys of other versions are never equal.
constexpr std::string_view kVersion = "tiphys step key 1";
/// A value longer than this is told by its digest.
constexpr std::size_t kMaximumShownBytes = 512;
constexpr int kMaximumInterpreters = 4;
constexpr int kMaximumLinks = 40;

std::string shown(std::string value) {
  return value.size() <= kMaximumShownBytes
             ? std::move(value)
             : fmt::format("sha256:{} ({} bytes)", artifacts::sha256_hex(value), value.size());
}

bool is_plain_name(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// One part for each leaf of a document; empty objects and lists are leaves.
void add_leaves(const doc::Value& value, const std::string& path, std::vector<KeyPart>& parts) {
  if (value.is_object() && !value.get_object().empty()) {
    std::map<std::string_view, const doc::Value*> sorted;
    for (const auto& member : value.get_object()) {
      sorted.emplace(member.key(), &member.value());
    }
    for (const auto& [key, member] : sorted) {
      add_leaves(*member,
                 is_plain_name(key) ? fmt::format("{}.{}", path, key)
                                    : fmt::format("{}[{}]", path, doc::to_json(doc::Value(key))),
                 parts);
    }
    return;
  }
  if (value.is_array() && !value.get_array().empty()) {
    std::size_t index = 0;
    for (const doc::Value& element : value.get_array()) {
      add_leaves(element, fmt::format("{}[{}]", path, index++), parts);
    }
    return;
  }
  parts.push_back({path, shown(doc::to_json(value, {.escape_html = false}))});
}

std::string digest_of(const std::vector<KeyPart>& parts) {
  artifacts::Sha256 hash;
  hash.update_text(kVersion);
  for (const KeyPart& part : parts) {
    hash.update_text(part.name);
    hash.update_text(part.value);
  }
  return artifacts::to_hex(hash.finish());
}

/// A path of the container as one of this machine, all links followed within `root`.
std::filesystem::path resolve_in(const std::filesystem::path& root, std::string_view path) {
  std::deque<std::string> left;
  const auto push_front = [&left](const std::filesystem::path& more) {
    std::deque<std::string> parts;
    for (const auto& part : more.relative_path()) {
      parts.push_back(part.string());
    }
    left.insert(left.begin(), parts.begin(), parts.end());
  };
  push_front(path);
  std::filesystem::path done;
  for (int links = 0; !left.empty();) {
    const std::string part = std::move(left.front());
    left.pop_front();
    if (part.empty() || part == ".") {
      continue;
    }
    if (part == "..") {
      done = done.parent_path();
      continue;
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink((root / done / part).c_str(), target.data(), target.size());
    if (length < 0 || ++links > kMaximumLinks) {
      done /= part;
      continue;
    }
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    if (text.starts_with('/')) {
      done.clear();
    }
    push_front(text);
  }
  return root / done;
}

bool is_executable(const std::filesystem::path& file) {
  struct stat status{};
  return ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & 0111U) != 0;
}

/// The container's path of the program `command`, by the rules of execvp.
std::optional<std::string> find_program(std::string_view command, const ProgramSearch& search) {
  const auto usable = [&search](const std::string& path) {
    return is_executable(resolve_in(search.root, path));
  };
  if (command.find('/') != std::string_view::npos) {
    std::string path = command.starts_with('/')
                           ? std::string(command)
                           : fmt::format("{}/{}", search.working_directory, command);
    return usable(path) ? std::optional(std::move(path)) : std::nullopt;
  }
  std::string_view folders = search.path;
  while (!command.empty()) {
    const std::size_t colon = std::min(folders.find(':'), folders.size());
    const std::string_view folder = folders.substr(0, colon);
    std::string path =
        fmt::format("{}/{}", folder.empty() ? search.working_directory : folder, command);
    if (usable(path)) {
      return path;
    }
    if (colon == folders.size()) {
      break;
    }
    folders.remove_prefix(colon + 1);
  }
  return std::nullopt;
}

/// The program named in a script's first line, and its one argument if that is `env NAME`'s.
struct Interpreter {
  std::string program;
  std::string argument;
};

std::optional<Interpreter> interpreter_of(const std::filesystem::path& file) {
  const artifacts::Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, 256> start{};
  const ssize_t got = opened ? ::pread(opened.get(), start.data(), start.size(), 0) : -1;
  std::string_view line(start.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
  if (!line.starts_with("#!")) {
    return std::nullopt;
  }
  line =
      line.substr(2, line.find('\n') == std::string_view::npos ? line.npos : line.find('\n') - 2);
  const auto next_word = [&line] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    std::string word(line.substr(0, end));
    line.remove_prefix(end);
    return word;
  };
  Interpreter found;
  found.program = next_word();
  found.argument = next_word();
  return found.program.empty() ? std::nullopt : std::optional(found);
}

Result<Program> identify(std::string_view command, const ProgramSearch& search,
                         artifacts::FileDigests& digests) {
  const std::optional<std::string> path = find_program(command, search);
  if (!path) {
    return fail(ErrorCode::not_found,
                fmt::format("failed to find name in PATH: exec: {}: executable file not found in "
                            "$PATH",
                            doc::to_json(doc::Value(command))));
  }
  const std::filesystem::path file = resolve_in(search.root, *path);
  TRY(std::string digest, digests.digest_of(file));
  return Program{std::string(command), file, std::move(digest)};
}

}  // namespace

std::string StepKey::to_json() const {
  doc::Array array;
  array.reserve(parts.size());
  for (const KeyPart& part : parts) {
    array.push_back(doc::Array{doc::Value(part.name), doc::Value(part.value)});
  }
  return doc::to_json(doc::Object{{"digest", digest}, {"parts", std::move(array)}});
}

Result<StepKey> StepKey::from_json(std::string_view text) {
  TRY(const doc::Value value, doc::parse_json(text));
  const doc::Value* parts = doc::find(value, "parts");
  if (parts == nullptr || !parts->is_array()) {
    return fail(ErrorCode::invalid, "step key: has no parts");
  }
  StepKey key;
  for (const doc::Value& part : parts->get_array()) {
    const doc::Array* pair = part.is_array() ? &part.get_array() : nullptr;
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() ||
        !(*pair)[1].is_string()) {
      return fail(ErrorCode::invalid, "step key: a part is not a pair of texts");
    }
    key.parts.push_back({std::string(doc::text_of((*pair)[0].get_string())),
                         std::string(doc::text_of((*pair)[1].get_string()))});
  }
  key.digest = digest_of(key.parts);
  if (key.digest != doc::find_string(value, "digest")) {
    return fail(ErrorCode::invalid, "step key: its digest is not that of its parts");
  }
  return key;
}

StepKey step_key(const doc::Value& resolved_template, const std::vector<InputDigest>& inputs,
                 const std::vector<Program>& programs) {
  StepKey key;
  add_leaves(resolved_template, "template", key.parts);
  const auto add_sorted = [&key](std::vector<KeyPart> parts) {
    std::ranges::sort(parts, {},
                      [](const KeyPart& part) { return std::tie(part.name, part.value); });
    std::ranges::move(parts, std::back_inserter(key.parts));
  };
  std::vector<KeyPart> parts;
  for (const InputDigest& input : inputs) {
    parts.push_back({"inputs.artifacts." + input.name,
                     input.digest.empty() ? "none" : "sha256:" + input.digest});
  }
  add_sorted(std::move(parts));
  parts.clear();
  for (const Program& program : programs) {
    parts.push_back({"program." + program.name,
                     fmt::format("{} sha256:{}", program.path.string(), program.digest)});
  }
  add_sorted(std::move(parts));
  key.digest = digest_of(key.parts);
  return key;
}

std::vector<KeyDifference> differences(const StepKey& before, const StepKey& after) {
  std::map<std::string_view, std::string_view> old_values;
  std::map<std::string_view, std::string_view> new_values;
  for (const KeyPart& part : before.parts) {
    old_values.emplace(part.name, part.value);
  }
  for (const KeyPart& part : after.parts) {
    new_values.emplace(part.name, part.value);
  }
  std::vector<KeyDifference> found;
  for (const KeyPart& part : after.parts) {
    const auto old = old_values.find(part.name);
    if (old == old_values.end()) {
      found.push_back({part.name, std::nullopt, part.value});
    } else if (old->second != part.value) {
      found.push_back({part.name, std::string(old->second), part.value});
    }
  }
  for (const KeyPart& part : before.parts) {
    if (!new_values.contains(part.name)) {
      found.push_back({part.name, part.value, std::nullopt});
    }
  }
  return found;
}

std::optional<KeyDifference> explain(const StepKey& before, const StepKey& after) {
  std::vector<KeyDifference> found = differences(before, after);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

Result<std::vector<Program>> programs_of(std::string_view command, const ProgramSearch& search,
                                         artifacts::FileDigests& digests) {
  std::vector<Program> programs;
  std::string next(command);
  for (int level = 0; level <= kMaximumInterpreters; ++level) {
    TRY(Program program, identify(next, search, digests));
    const std::optional<Interpreter> interpreter = interpreter_of(program.path);
    programs.push_back(std::move(program));
    if (!interpreter) {
      break;
    }
    next = interpreter->program;
    // "#!/usr/bin/env python3": env finds the program that counts in PATH.
    const bool by_env = std::filesystem::path(interpreter->program).filename() == "env";
    if (by_env && !interpreter->argument.empty() && !interpreter->argument.starts_with('-') &&
        interpreter->argument.find('=') == std::string::npos) {
      TRY(Program environment, identify(next, search, digests));
      programs.push_back(std::move(environment));
      next = interpreter->argument;
    }
  }
  return programs;
}

}  // namespace tiphys::executor
