#include "step_script.h"

#include "base/fnv.h"

#include <boost/json.hpp>

#include <charconv>
#include <map>

namespace tiphys::simulation {
namespace {

using Lines = std::map<std::string, std::string, std::less<>>;

void add_line(Lines& lines, std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals != std::string_view::npos) {
    lines[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  }
}

Lines lines_of(const doc::Value& pod, const executor::StepPlan& plan) {
  Lines lines;
  if (plan.script_source) {
    std::string_view rest = *plan.script_source;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      add_line(lines, rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
  }
  const doc::Value* spec = doc::find(pod, "spec");
  const doc::Value* containers = doc::find(*spec, "containers");
  const doc::Value* arguments = doc::find(containers->get_array().at(0), "args");
  if (arguments != nullptr && arguments->is_array()) {
    for (const doc::Value& argument : arguments->get_array()) {
      add_line(lines, doc::text_of(argument.as_string()));
    }
  }
  return lines;
}

std::uint32_t number_at(const Lines& lines, std::string_view key) {
  std::uint32_t out = 0;
  if (const auto found = lines.find(key); found != lines.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), out);
  }
  return out;
}

/// Independent of each other for different questions about the same node.
std::uint32_t hash_of(std::string_view node_name, std::uint64_t salt, std::string_view question) {
  std::uint32_t hash =
      fnv1a_32(std::string(node_name) + "/" + std::to_string(salt) + "/" + std::string(question));
  hash ^= hash >> 15U;
  hash *= 0x2C1B3C6DU;
  hash ^= hash >> 12U;
  return hash;
}

std::string result_text(std::string_view kind, std::uint32_t hash) {
  if (kind != "list") {
    return std::to_string(hash % 4);
  }
  std::string out = "[";
  for (std::uint32_t i = 0; i < hash % 4; ++i) {
    out += (i == 0 ? "" : ",") + std::to_string(i + hash % 3);
  }
  return out + "]";
}

}  // namespace

StepResult play_step(const doc::Value& pod, std::string_view node_name, std::uint64_t salt) {
  const doc::Value* metadata = doc::find(pod, "metadata");
  const doc::Value* annotations = doc::find(*metadata, "annotations");
  const auto plan =
      executor::StepPlan::from_json(doc::find_string(*annotations, executor::kPlanAnnotation));
  StepResult out;
  if (!plan) {
    out.exit_code = 64;
    return out;
  }
  const Lines lines = lines_of(pod, *plan);
  out.duration = std::chrono::seconds(number_at(lines, "seconds"));
  if (out.duration.count() != 0) {
    out.duration += std::chrono::milliseconds(hash_of(node_name, salt, "duration") % 3000);
  }
  if (hash_of(node_name, salt, "fail") % 100 < number_at(lines, "fail")) {
    out.exit_code = 1 + static_cast<int>(hash_of(node_name, salt, "code") % 2);
  }
  if (const auto kind = lines.find("result"); kind != lines.end() && plan->capture_result) {
    out.outputs.result = result_text(kind->second, hash_of(node_name, salt, "result"));
  }
  for (const executor::OutputParameter& wanted : plan->output_parameters) {
    const auto written = lines.find("param:" + wanted.name);
    if (written != lines.end()) {
      out.outputs.parameters.push_back({wanted.name, written->second});
    } else if (wanted.default_value) {
      out.outputs.parameters.push_back({wanted.name, *wanted.default_value});
    }
  }
  return out;
}

}  // namespace tiphys::simulation
