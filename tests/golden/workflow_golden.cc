// workflow_golden GOLDEN.tsv DIR [--program TIPHYS] [--group G,...] [--path DIR] [--jobs N]
// [--support FILE] [--exceptions FILE] [--verbose]
//
// Runs the manifests of DIR that the table names through the real program, each in a state
// directory of its own, and compares the outcome with the table node by node. A line per
// difference, then "N passed, N failed[, N skipped]". The table's format is that of the conformance
// folder: W lines for workflows, N lines for their nodes.

#include "doc/json.h"

#include <boost/json.hpp>
#include <re2/re2.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <spawn.h>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace {

namespace fs = std::filesystem;
using tiphys::doc::Value;

struct GoldenNode {
  std::string display_name, type, phase, exit_code, message, outputs, name;
};

struct GoldenRun {
  std::string group, file, phase, progress, message, remark;
  std::vector<GoldenNode> nodes;

  bool random() const { return remark.find("random") != std::string::npos; }
};

struct Options {
  fs::path table, folder, program, image_path;
  fs::path support;  ///< further documents that runs may refer to
  std::set<std::string> groups;
  std::set<std::string> exceptions;  ///< files that are left out, see --exceptions
  bool verbose = false;
  std::size_t jobs = 32;
};

/// The table's strings are JSON strings without their quotes.
std::string unescape(const std::string& text) {
  const auto value = tiphys::doc::parse_json("\"" + text + "\"");
  return value && value->is_string() ? std::string(value->get_string()) : text;
}

std::vector<GoldenRun> read_table(const fs::path& path) {
  std::vector<GoldenRun> runs;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> column;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, '\t');) {
      column.push_back(cell);
    }
    column.resize(10);
    if (column[0] == "W") {
      runs.push_back(
          {column[1], column[2], column[3], column[4], unescape(column[6]), column[7], {}});
    } else if (column[0] == "N" && !runs.empty()) {
      runs.back().nodes.push_back({unescape(column[3]), column[4], column[5], column[6],
                                   unescape(column[7]), column[8], unescape(column[9])});
    }
  }
  return runs;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Document {
  std::string kind, name, text;
};

std::vector<Document> split_documents(const std::string& text) {
  static const RE2 kKind(R"((?m)^kind:\s*["']?(\w+))");
  static const RE2 kName(
      R"((?m)^metadata:\s*\n(?:\s+.*\n)*?\s+(?:name|generateName):\s*["']?([^\s"']+))");
  std::vector<Document> documents(1);
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("---")) {
      documents.emplace_back();
    } else {
      documents.back().text += line + "\n";
    }
  }
  std::erase_if(documents, [](Document& document) {
    RE2::PartialMatch(document.text, kName, &document.name);
    return !RE2::PartialMatch(document.text, kKind, &document.kind);
  });
  return documents;
}

/// Everything that Workflows may refer to: the file's own folder first, then what the rest of the
/// tree adds, then the support file.
std::string supporting_documents(const Options& options, const fs::path& file) {
  static const std::set<std::string> kKinds = {"WorkflowTemplate", "ClusterWorkflowTemplate",
                                               "ConfigMap", "Secret", "PersistentVolumeClaim"};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(options.folder)) {
    if (entry.path().extension() == ".yaml") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files, {}, [&](const fs::path& path) {
    return std::pair(path.parent_path() != file.parent_path(), path.string());
  });
  if (!options.support.empty()) {
    files.push_back(options.support);
  }
  std::set<std::string> seen;
  std::string out;
  for (const fs::path& path : files) {
    for (const Document& document : split_documents(read_file(path))) {
      if (kKinds.contains(document.kind) &&
          seen.insert(document.kind + "/" + document.name).second) {
        out += "---\n" + document.text;
      }
    }
  }
  return out;
}

/// Golden text with its placeholders as a regular expression for this run.
std::string pattern_of(const std::string& golden, const std::string& workflow,
                       const std::map<std::string, std::string>& ids) {
  std::string text = golden;
  RE2::GlobalReplace(&text, R"(\{WF\})", workflow);
  std::string out = "(?s)";
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t open = text.find('{', at);
    open = open == std::string::npos ? text.size() : open;
    out += RE2::QuoteMeta(text.substr(at, open - at));
    if (open == text.size()) {
      break;
    }
    static const RE2 kPlaceholder(R"(^\{(NODE|POD|HASH|UID|IP|TIME|EPOCH)(?::([^{}]*))?\})");
    std::string kind, argument;
    re2::StringPiece rest(text.data() + open, text.size() - open);
    const std::size_t before = rest.size();
    if (!RE2::Consume(&rest, kPlaceholder, &kind, &argument)) {
      out += "\\{";
      at = open + 1;
      continue;
    }
    at = open + (before - rest.size());
    if (kind == "NODE") {
      const auto id = ids.find(argument);
      out += RE2::QuoteMeta(id == ids.end() ? "no node " + argument : id->second);
    } else if (kind == "HASH" || kind == "EPOCH") {
      out += "\\d+";
    } else {
      out += "\\S+";
    }
  }
  return out;
}

class Comparison {
 public:
  Comparison(const GoldenRun& golden, const Value& workflow) : golden_(golden) {
    static const Value kEmpty = tiphys::doc::Object{};
    const Value* metadata = tiphys::doc::find(workflow, "metadata");
    const Value* status = tiphys::doc::find(workflow, "status");
    name_ = metadata == nullptr ? "" : std::string(tiphys::doc::find_string(*metadata, "name"));
    status_ = status == nullptr ? &kEmpty : status;
    if (const Value* nodes = tiphys::doc::find(*status_, "nodes");
        nodes != nullptr && nodes->is_object()) {
      for (const auto& [id, node] : nodes->get_object()) {
        const std::string node_name(tiphys::doc::find_string(node, "name"));
        nodes_[node_name] = &node;
        ids_[node_name] = std::string(id);
      }
    }
  }

  std::vector<std::string> differences() {
    if (golden_.random()) {
      compare_shape();
    } else {
      compare_all();
    }
    return std::move(differences_);
  }

 private:
  void differ(const std::string& what, const std::string& expected, const std::string& found) {
    if (differences_.size() < 20) {
      differences_.push_back(what + ": expected " + expected + ", found " + found);
    }
  }

  void match(const std::string& what, const std::string& golden, std::string_view found) {
    if (!RE2::FullMatch(re2::StringPiece(found.data(), found.size()),
                        pattern_of(golden, name_, ids_))) {
      differ(what, "\"" + golden + "\"", "\"" + std::string(found) + "\"");
    }
  }

  std::string expand(const std::string& text) const {
    std::string out = text;
    RE2::GlobalReplace(&out, R"(\{WF\})", name_);
    return out;
  }

  void compare_all() {
    match("workflow phase", golden_.phase, tiphys::doc::find_string(*status_, "phase"));
    match("workflow progress", golden_.progress, tiphys::doc::find_string(*status_, "progress"));
    match("workflow message", golden_.message, tiphys::doc::find_string(*status_, "message"));
    if (nodes_.size() != golden_.nodes.size()) {
      differ("number of nodes", std::to_string(golden_.nodes.size()),
             std::to_string(nodes_.size()));
    }
    std::set<std::string> expected;
    for (const GoldenNode& golden : golden_.nodes) {
      expected.insert(expand(golden.name));
      compare_node(golden);
    }
    for (const auto& [name, node] : nodes_) {
      if (!expected.contains(name)) {
        differ("node " + name, "no such node",
               std::string(tiphys::doc::find_string(*node, "phase")));
      }
    }
  }

  /// Where the file throws dice: the run ends, and every node both runs have is the same kind of
  /// node.
  void compare_shape() {
    const std::string phase(tiphys::doc::find_string(*status_, "phase"));
    if (phase != "Succeeded" && phase != "Failed" && phase != "Error") {
      differ("workflow phase", "an end", phase);
    }
    std::size_t shared = 0;
    for (const GoldenNode& golden : golden_.nodes) {
      const auto node = nodes_.find(expand(golden.name));
      if (node == nodes_.end()) {
        continue;
      }
      ++shared;
      const std::string type(tiphys::doc::find_string(*node->second, "type"));
      if (type != golden.type && type != "Skipped" && golden.type != "Skipped") {
        differ("node " + golden.name + " type", golden.type, type);
      }
    }
    if (shared == 0) {
      differ("nodes", "some of the recorded run's", "none");
    }
  }

  void compare_node(const GoldenNode& golden) {
    const auto found = nodes_.find(expand(golden.name));
    if (found == nodes_.end()) {
      differ("node " + golden.name, golden.phase, "no such node");
      return;
    }
    const Value& node = *found->second;
    const std::string what = "node " + golden.name + " ";
    match(what + "displayName", golden.display_name, tiphys::doc::find_string(node, "displayName"));
    match(what + "type", golden.type, tiphys::doc::find_string(node, "type"));
    match(what + "phase", golden.phase, tiphys::doc::find_string(node, "phase"));
    match(what + "message", golden.message, tiphys::doc::find_string(node, "message"));
    const Value* outputs = tiphys::doc::find(node, "outputs");
    match(what + "exitCode", golden.exit_code,
          outputs == nullptr ? "" : tiphys::doc::find_string(*outputs, "exitCode"));
    compare_outputs(what, golden, outputs);
  }

  void compare_outputs(const std::string& what, const GoldenNode& golden, const Value* outputs) {
    static const Value kNone = tiphys::doc::Object{};
    const auto expected = tiphys::doc::parse_json(golden.outputs.empty() ? "{}" : golden.outputs);
    const Value& found = outputs == nullptr ? kNone : *outputs;
    match(what + "result", std::string(tiphys::doc::find_string(*expected, "result")),
          tiphys::doc::find_string(found, "result"));
    std::map<std::string, std::string> values;
    if (const Value* parameters = tiphys::doc::find(found, "parameters")) {
      for (const Value& parameter : parameters->get_array()) {
        values[std::string(tiphys::doc::find_string(parameter, "name"))] =
            tiphys::doc::find_string(parameter, "value");
      }
    }
    if (const Value* parameters = tiphys::doc::find(*expected, "parameters")) {
      for (const auto& [name, value] : parameters->get_object()) {
        const std::string text =
            value.is_string() ? std::string(value.get_string()) : tiphys::doc::to_json(value);
        match(what + "output " + std::string(name), text, values[std::string(name)]);
      }
    }
    if (const Value* artifacts = tiphys::doc::find(*expected, "artifacts")) {
      std::set<std::string> names;
      if (const Value* actual = tiphys::doc::find(found, "artifacts")) {
        for (const Value& artifact : actual->get_array()) {
          names.insert(std::string(tiphys::doc::find_string(artifact, "name")));
        }
      }
      for (const Value& name : artifacts->get_array()) {
        if (!names.contains(std::string(name.get_string()))) {
          differ(what + "artifacts", std::string(name.get_string()), "none of that name");
        }
      }
    }
  }

  const GoldenRun& golden_;
  const Value* status_;
  std::string name_;
  std::map<std::string, const Value*> nodes_;
  std::map<std::string, std::string> ids_;
  std::vector<std::string> differences_;
};

int run_program(const std::vector<std::string>& arguments, const fs::path& output,
                const std::string& path) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("PATH=")) {
      environment.emplace_back(*variable);
    }
  }
  environment.push_back("PATH=" + path);
  std::vector<char*> envp;
  for (std::string& variable : environment) {
    envp.push_back(variable.data());
  }
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, (output.string() + ".err").c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t child = 0;
  const int code = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) {
    return -1;
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The manifest of a run: the file, or one document of it ("name.yaml#2").
std::string manifest_text(const Options& options, const GoldenRun& run) {
  std::string file = run.file;
  std::size_t wanted = 0;
  if (const std::size_t hash = file.rfind('#'); hash != std::string::npos) {
    wanted = static_cast<std::size_t>(std::atoi(file.c_str() + hash + 1));
    file.resize(hash);
  }
  std::size_t seen = 0;
  std::string out;
  for (const Document& document : split_documents(read_file(options.folder / file))) {
    if (document.kind == "Workflow" && (wanted == 0 || ++seen == wanted)) {
      out += "---\n" + document.text;
    }
  }
  return out;
}

std::vector<std::string> check(const Options& options, const GoldenRun& golden) {
  const std::string manifest = manifest_text(options, golden);
  if (manifest.empty()) {
    return {"holds no Workflow"};
  }
  char pattern[] = "/tmp/workflow_golden.XXXXXX";
  const fs::path scratch = mkdtemp(pattern);
  std::ofstream(scratch / "support.yaml")
      << supporting_documents(options, options.folder / golden.file) << "---\n"
      << read_file(fs::path(TIPHYS_SOURCE_DIR) / "tests/golden/settings.yaml");
  std::ofstream(scratch / "workflow.yaml") << manifest;
  const std::string path = options.image_path.string() + ":" + std::getenv("PATH");
  run_program({options.program, "run", "--state", scratch / "state", "-j", "64", "-o", "json",
               scratch / "support.yaml", scratch / "workflow.yaml"},
              scratch / "out.json", path);
  std::vector<std::string> differences;
  const auto document = tiphys::doc::parse_json(read_file(scratch / "out.json"));
  if (document) {
    differences = Comparison(golden, *document).differences();
  } else {
    differences = {"no answer: " + read_file(scratch / "out.json.err").substr(0, 400)};
  }
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  return differences;
}

Options parse_arguments(int count, char** arguments) {
  Options options;
  const fs::path self = fs::read_symlink("/proc/self/exe");
  options.program = self.parent_path().parent_path() / "tiphys";
  options.image_path = fs::path(TIPHYS_SOURCE_DIR) / "tests/images";
  std::vector<std::string> plain;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--verbose") {
      options.verbose = true;
    } else if (argument.starts_with("--") && i + 1 < count) {
      const std::string value = arguments[++i];
      if (argument == "--program") {
        options.program = value;
      } else if (argument == "--path") {
        options.image_path = value;
      } else if (argument == "--support") {
        options.support = value;
      } else if (argument == "--exceptions") {
        // A file a line, then why; # begins a comment.
        std::ifstream lines(value);
        for (std::string line; std::getline(lines, line);) {
          if (!line.empty() && line[0] != '#') {
            options.exceptions.insert(line.substr(0, line.find(' ')));
          }
        }
      } else if (argument == "--jobs") {
        options.jobs = static_cast<std::size_t>(std::max(1, std::atoi(value.c_str())));
      } else if (argument == "--group") {
        std::stringstream stream(value);
        for (std::string group; std::getline(stream, group, ',');) {
          options.groups.insert(group);
        }
      }
    } else {
      plain.push_back(argument);
    }
  }
  if (plain.size() != 2) {
    std::cerr << "usage: workflow_golden GOLDEN.tsv DIR [--program TIPHYS] [--group G,...] [--path "
                 "DIR] [--verbose]\n";
    std::exit(2);
  }
  options.table = plain[0];
  options.folder = plain[1];
  return options;
}

/// Whether a recorded run can be made again: not a snapshot taken between commands (those are for
/// the scenarios), not one that was cut short by the machine it ran on, not a file that was left
/// out of the folder, and no exception.
bool can_be_checked(const GoldenRun& golden, const Options& options) {
  const std::string file = golden.file.substr(0, golden.file.rfind('#'));
  const bool ended =
      golden.phase == "Succeeded" || golden.phase == "Failed" || golden.phase == "Error";
  return ended && golden.file.find('~') == std::string::npos &&
         !options.exceptions.contains(golden.file) && fs::exists(options.folder / file);
}

/// The differences of each run. Runs mostly wait for their own sleeps, so several are made at a
/// time.
std::vector<std::vector<std::string>> check_all(const Options& options,
                                                const std::vector<const GoldenRun*>& chosen) {
  std::vector<std::vector<std::string>> results(chosen.size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> workers;
  for (std::size_t worker = 0; worker < std::min(options.jobs, chosen.size()); ++worker) {
    workers.emplace_back([&] {
      for (std::size_t i = next++; i < chosen.size(); i = next++) {
        results[i] = check(options, *chosen[i]);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  return results;
}

}  // namespace

int main(int count, char** arguments) {
  const Options options = parse_arguments(count, arguments);
  const std::vector<GoldenRun> runs = read_table(options.table);
  std::vector<const GoldenRun*> chosen;
  int skipped = 0;
  for (const GoldenRun& golden : runs) {
    if (!options.groups.empty() && !options.groups.contains(golden.group)) {
      continue;
    }
    if (can_be_checked(golden, options)) {
      chosen.push_back(&golden);
    } else {
      ++skipped;
    }
  }
  const auto results = check_all(options, chosen);
  int passed = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (const std::string& difference : results[i]) {
      std::cout << chosen[i]->file << ": " << difference << "\n";
    }
    passed += results[i].empty() ? 1 : 0;
    if (options.verbose) {
      std::cout << (results[i].empty() ? "ok   " : "FAIL ") << chosen[i]->group << " "
                << chosen[i]->file << "\n";
    }
  }
  const auto failed = chosen.size() - static_cast<std::size_t>(passed);
  std::cout << passed << " passed, " << failed << " failed";
  if (skipped > 0) {
    std::cout << ", " << skipped << " skipped";
  }
  std::cout << "\n";
  return failed == 0 ? 0 : 1;
}
