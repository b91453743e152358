// lang_table FILE...: runs the cases of golden tables (see the README of the conformance folder)
// and prints a line for each that differs, then "N passed, N failed".

#include "reader.h"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>

namespace tiphys::table {
namespace {

const std::map<std::string_view, Reader> kReaders = {
    {"cron", read_cron},         {"depends", read_depends},  {"duration", read_duration},
    {"expr", read_expr},         {"items", read_items},      {"jq", read_jq},
    {"jsonpath", read_jsonpath}, {"node-names", read_names}, {"template-tags", read_tags},
    {"sprig", read_expr},        {"when", read_when},        {"yaml", read_yaml},
};

struct Count {
  std::size_t passed = 0;
  std::size_t failed = 0;
};

/// Equal but for how numbers are held: 1 is 1.0.
bool same(const doc::Value& a, const doc::Value& b) {
  if (a.is_number() && b.is_number() && a.kind() != b.kind()) {
    return a.to_number<double>() == b.to_number<double>();
  }
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.get_array(), b.get_array(), same);
  }
  if (!a.is_object() || !b.is_object()) {
    return a == b;
  }
  return a.get_object().size() == b.get_object().size() &&
         std::ranges::all_of(a.get_object(), [&b](const auto& member) {
           const auto* other = b.get_object().if_contains(member.key());
           return other != nullptr && same(member.value(), *other);
         });
}

std::string shown(const Outcome& outcome) {
  return outcome ? doc::to_json(*outcome, {.escape_html = false, .sort_keys = true})
                 : "error " + doc::to_json(text_value(outcome.error()), {.escape_html = false});
}

/// Empty when the outcome is what the case wants.
std::string difference(const doc::Value& row, const Outcome& outcome) {
  if (const doc::Value* wanted = doc::find(row, "out")) {
    if (outcome && same(*outcome, *wanted)) {
      return {};
    }
    return shown(outcome) + " instead of " + shown(*wanted);
  }
  const std::string error = text_at(row, "error");
  // Where upstream crashes any error will do.
  if (!outcome &&
      (error.starts_with("panic: ") || text_value(outcome.error()) == text_value(error))) {
    return {};
  }
  return shown(outcome) + " instead of " + shown(std::unexpected(error));
}

void run_line(const std::string& line, const std::filesystem::path& folder, Count& count) {
  const auto row = doc::parse_json(line);
  const std::string id = row ? text_at(*row, "id") : "";
  const doc::Value* in = row ? doc::find(*row, "in") : nullptr;
  const std::string name = id.substr(0, id.find('/'));
  std::string problem;
  if (in == nullptr) {
    problem = "not a case: " + line.substr(0, 100);
  } else if (const auto reader = kReaders.find(name); reader == kReaders.end()) {
    problem = "no reader for table " + name;
  } else {
    problem = difference(*row, reader->second({id, *in, doc::find(*row, "out"), folder}));
  }
  if (problem.empty()) {
    ++count.passed;
    return;
  }
  ++count.failed;
  std::cout << id << ": " << problem << "\n";
}

int run(std::span<char*> files) {
  Count count;
  for (const std::filesystem::path path : files) {
    std::ifstream file(path);
    if (!file) {
      std::cout << "cannot read " << path.string() << "\n";
      ++count.failed;
      continue;
    }
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) {
        run_line(line, path.parent_path(), count);
      }
    }
  }
  std::cout << count.passed << " passed, " << count.failed << " failed" << std::endl;
  return count.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tiphys::table

int main(int argc, char** argv) {
  return tiphys::table::run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}
