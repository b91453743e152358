#include "workflows/controller/origin.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tiphys::workflows {
namespace {

using doc::Value;

/// Templates call each other at most this deep on the way to a value.
constexpr int kMaximumDepth = 100;

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// The dotted paths in a tag or expression: "tasks.a.outputs.parameters.b". Members in brackets,
/// ["b"], count as dotted ones.
std::vector<std::string> paths_in(std::string_view tag) {
  std::vector<std::string> out;
  std::string path;
  const auto finish = [&] {
    if (!path.empty()) {
      out.push_back(std::move(path));
      path.clear();
    }
  };
  const bool expression = tag.starts_with('=');
  for (std::size_t i = 0; i < tag.size(); ++i) {
    const char c = tag[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || c == '_' || c == '.' || (c == '-' && !expression)) {
      path += c;
    } else if (c == '[' && i + 1 < tag.size() && (tag[i + 1] == '\'' || tag[i + 1] == '"')) {
      const std::size_t end = std::min(tag.find(tag[i + 1], i + 2), tag.size());
      path += "." + std::string(tag.substr(i + 2, end - i - 2));
      i = end + 1;
    } else {
      finish();
    }
  }
  finish();
  return out;
}

/// All paths in the tags of a text.
std::vector<std::string> paths_in_tags(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t open = text.find("{{"); open != std::string_view::npos;) {
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) {
      break;
    }
    for (std::string& path : paths_in(text.substr(open + 2, close - open - 2))) {
      out.push_back(std::move(path));
    }
    open = text.find("{{", close);
  }
  return out;
}

/// What follows "prefix" in a path, if it starts so.
std::optional<std::string_view> after(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) ? std::optional(path.substr(prefix.size())) : std::nullopt;
}

class Tracer {
 public:
  explicit Tracer(const RunView& run) : run_(run) {}

  Origin parameter(const SeenNode& node, const std::string& name, int depth) {
    if (depth > kMaximumDepth) {
      return {};
    }
    if (node.boundary == nullptr) {
      return {"the workflow's parameter " + in_quotes(name), {}};
    }
    const Value* call = run_.call_of(node);
    if (call == nullptr) {
      return {};
    }
    const Value* argument = nullptr;
    const Value* arguments = doc::find(*call, "arguments");
    const Value* list = arguments == nullptr ? nullptr : doc::find(*arguments, "parameters");
    if (list != nullptr && list->is_array()) {
      for (const Value& candidate : list->get_array()) {
        argument = doc::find_string(candidate, "name") == name ? &candidate : argument;
      }
    }
    if (argument == nullptr) {
      return {"its default in the template", {}};
    }
    if (const Value* value = doc::find(*argument, "value")) {
      const std::string text = value->is_string() ? std::string(doc::text_of(value->get_string()))
                                                  : doc::to_json(*value);
      Origin found = text_origin(text, *node.boundary, *call, depth);
      return found.text.empty()
                 ? Origin{"step " + node.call + " of the workflow, which says " + in_quotes(text),
                          {}}
                 : found;
    }
    return {"a ConfigMap that step " + node.call + " names", {}};
  }

 private:
  /// Everything that the tags of a text name, joined.
  Origin text_origin(std::string_view text, const SeenNode& boundary, const Value& call,
                     int depth) {
    Origin out;
    std::vector<std::string> said;
    for (const std::string& path : paths_in_tags(text)) {
      Origin one = path_origin(path, boundary, call, depth);
      out.producers.insert(out.producers.end(), one.producers.begin(), one.producers.end());
      if (one.text.empty() || std::ranges::find(said, one.text) != said.end()) {
        continue;
      }
      out.text += (out.text.empty() ? "" : " and ") + one.text;
      said.push_back(std::move(one.text));
    }
    return out;
  }

  Origin path_origin(std::string_view path, const SeenNode& boundary, const Value& call,
                     int depth) {
    if (const auto name = after(path, "inputs.parameters.")) {
      return parameter(boundary, std::string(*name), depth + 1);
    }
    if (const auto name = after(path, "workflow.parameters.")) {
      return {"the workflow's parameter " + in_quotes(*name), {}};
    }
    if (path.starts_with("workflow.")) {
      return {std::string(path), {}};
    }
    if (path == "item" || path.starts_with("item.")) {
      return item_origin(boundary, call, depth);
    }
    for (const std::string_view prefix : {"tasks.", "steps."}) {
      if (const auto rest = after(path, prefix)) {
        return output_origin(*rest, boundary);
      }
    }
    return {};
  }

  Origin item_origin(const SeenNode& boundary, const Value& call, int depth) {
    Origin out;
    if (const std::string_view list = doc::find_string(call, "withParam"); !list.empty()) {
      out = text_origin(list, boundary, call, depth + 1);
    } else if (const Value* sequence = doc::find(call, "withSequence")) {
      out = text_origin(doc::to_json(*sequence), boundary, call, depth + 1);
    }
    const std::string step(doc::find_string(call, "name"));
    out.text =
        out.text.empty() ? "the list that step " + step + " runs over" : "an item of " + out.text;
    return out;
  }

  /// `rest` is "plan.outputs.parameters.intervals".
  Origin output_origin(std::string_view rest, const SeenNode& boundary) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    const std::string step(rest.substr(0, dot));
    const std::string_view what = dot == rest.size() ? "" : rest.substr(dot + 1);
    Origin out;
    out.producers = run_.made_by(boundary, step);
    if (out.producers.empty()) {
      return out;
    }
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords = {
        {{"outputs.result", "what was printed by"},
         {"status", "the status of"},
         {"exitCode", "the exit code of"}}};
    out.text = std::string(what) + " of";
    if (const auto name = after(what, "outputs.parameters.")) {
      out.text = "the output parameter " + in_quotes(*name) + " of";
    }
    for (const auto& [path, words] : kWords) {
      out.text = what == path ? std::string(words) : out.text;
    }
    out.text += " step " + step;
    return out;
  }

  const RunView& run_;
};

}  // namespace

Origin origin_of_parameter(const RunView& run, const SeenNode& node, const std::string& parameter) {
  return Tracer(run).parameter(node, parameter, 0);
}

}  // namespace tiphys::workflows
