#include "base/fnv.h"
#include "cli/text/aligned_table.h"
#include "cli/text/workflow_text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace tiphys::cli {
namespace {

using doc::find;
using doc::find_string;
using doc::Value;

std::string colored(std::string_view text, int code, const TextStyle& style) {
  if (!style.color) {
    return std::string(text);
  }
  return "\x1b[" + std::to_string(code) + "m" + std::string(text) + "\x1b[0m";
}

/// The position in its loop of a node named like "step(12:item)".
std::optional<long> loop_index(std::string_view display_name) {
  const std::size_t open = display_name.rfind('(');
  const std::size_t colon = open == std::string_view::npos ? open : display_name.find(':', open);
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  long index = 0;
  const char* begin = display_name.data() + open + 1;
  const auto [end, code] = std::from_chars(begin, display_name.data() + colon, index);
  return code == std::errc() && end == display_name.data() + colon ? std::optional(index)
                                                                   : std::nullopt;
}

/// The nodes as the tree shows them: members of step groups and retries below those, all else below
/// its boundary.
class Tree {
 public:
  Tree(const Value& workflow, const DescribeOptions& options, AlignedTable& table)
      : options_(options),
        table_(table),
        workflow_name_(find_string(*find(workflow, "metadata"), "name")) {
    const auto& nodes = find(*find(workflow, "status"), "nodes")->get_object();
    std::unordered_map<std::string_view, std::string_view> owner;
    for (const auto& entry : nodes) {
      const std::string_view type = find_string(entry.value(), "type");
      if (type == "StepGroup" || type == "Retry") {
        for_children(entry.value(), [&](std::string_view child) { owner[child] = entry.key(); });
      }
    }
    for (const auto& entry : nodes) {
      if (!is_shown_type(find_string(entry.value(), "type"))) {
        continue;
      }
      nodes_[entry.key()] = &entry.value();
      const auto found = owner.find(entry.key());
      const std::string_view parent =
          found != owner.end() ? found->second : find_string(entry.value(), "boundaryID");
      if (!parent.empty()) {
        children_[parent].push_back(entry.key());
      }
    }
    for (auto& [parent, children] : children_) {
      std::ranges::sort(children, [&](std::string_view a, std::string_view b) {
        return comes_before(*nodes_.at(a), *nodes_.at(b));
      });
    }
  }

  bool has(std::string_view id) const { return nodes_.contains(id); }

  void print(std::string_view id, const std::string& prefix, const std::string& child_prefix) {
    const Value& node = *nodes_.at(id);
    const std::string_view type = find_string(node, "type");
    const auto children = children_.find(id);
    const std::size_t count = children == children_.end() ? 0 : children->second.size();
    const bool hidden = is_hidden(node, type, count);
    if (!hidden) {
      print_node(node, type, prefix);
    }
    for (std::size_t index = 0; index < count; ++index) {
      const auto [branch, below] = branches(hidden, type == "StepGroup", index, count);
      const std::string& start = hidden && index == 0 ? prefix : child_prefix;
      print(children->second[index], start + branch, child_prefix + below);
    }
  }

 private:
  static bool is_shown_type(std::string_view type) {
    static constexpr std::array<std::string_view, 9> kShown = {
        "DAG", "Steps", "StepGroup", "Retry", "Pod", "Skipped", "Suspend", "HTTP", "Plugin"};
    return std::ranges::find(kShown, type) != kShown.end();
  }

  template <class Visit>
  static void for_children(const Value& node, Visit visit) {
    if (const Value* children = find(node, "children");
        children != nullptr && children->is_array()) {
      for (const Value& child : children->get_array()) {
        visit(doc::text_of(child.get_string()));
      }
    }
  }

  static bool comes_before(const Value& a, const Value& b) {
    const std::string_view started_a = find_string(a, "startedAt");
    const std::string_view started_b = find_string(b, "startedAt");
    if (started_a != started_b) {
      return started_a < started_b;
    }
    const std::string_view name_a = find_string(a, "displayName");
    const std::string_view name_b = find_string(b, "displayName");
    // Items of one loop by their numbers, all else by name.
    const auto index_a = loop_index(name_a);
    const auto index_b = loop_index(name_b);
    const std::string_view base_a = index_a ? name_a.substr(0, name_a.rfind('(')) : name_a;
    const std::string_view base_b = index_b ? name_b.substr(0, name_b.rfind('(')) : name_b;
    return std::tuple(base_a, index_a.value_or(-1), name_a) <
           std::tuple(base_b, index_b.value_or(-1), name_b);
  }

  bool is_hidden(const Value& node, std::string_view type, std::size_t children) const {
    return type == "StepGroup" || (type == "Retry" && children == 1) ||
           (type == "Skipped" && find_string(node, "phase") == "Omitted") ||
           (options_.filter && !options_.filter(node));
  }

  std::pair<std::string, std::string> branches(bool hidden, bool group, std::size_t index,
                                               std::size_t count) const {
    const bool last = index + 1 == count;
    const bool first = index == 0;
    if (hidden && !group) {
      return {"", ""};
    }
    if (options_.style.utf8) {
      if (hidden && count == 1) {
        return {"──", "  "};
      }
      if (hidden && first) {
        return {"┬─", "│ "};
      }
      return last ? std::pair("└─", "  ") : std::pair("├─", "│ ");
    }
    if (hidden && count == 1) {
      return {"--", "  "};
    }
    if (hidden && first) {
      return {"+-", "| "};
    }
    return last ? std::pair("`-", "  ") : std::pair("|-", "| ");
  }

  void print_node(const Value& node, std::string_view type, const std::string& prefix) {
    const std::string_view phase = find_string(node, "phase");
    const bool suspended = type == "Suspend" && phase == "Running";
    const std::string icon =
        suspended ? colored(options_.style.utf8 ? "ǁ" : "Suspend", 36, options_.style)
                  : phase_icon(phase, options_.style);
    std::string template_name(find_string(node, "templateName"));
    std::string pod_part = template_name;
    if (const Value* reference = find(node, "templateRef")) {
      pod_part = find_string(*reference, "template");
      template_name = std::string(find_string(*reference, "name")) + "/" + pod_part;
    }
    const bool pod = type == "Pod";
    std::vector<std::string> cells = {
        prefix + icon + " " + std::string(find_string(node, "displayName")), template_name,
        pod ? pod_name(find_string(node, "name"), pod_part) : "", pod ? duration(node) : ""};
    const std::string message(find_string(node, "message"));
    if (options_.layout == Layout::wide) {
      const Value* resources = find(node, "resourcesDuration");
      cells.insert(cells.end(), {artifact_names(node), message,
                                 resources == nullptr ? "" : resources_text(*resources),
                                 pod ? std::string(find_string(node, "hostNodeName")) : ""});
    } else if (options_.layout == Layout::brief) {
      cells.insert(cells.end(),
                   {message, pod ? std::string(find_string(node, "hostNodeName")) : ""});
    } else {
      cells.insert(cells.end(), {message, ""});
    }
    table_.add(std::move(cells));
  }

  /// Pod names in the form upstream calls v2 (reference, workflows section 2.8).
  std::string pod_name(std::string_view node_name, std::string_view template_name) const {
    constexpr std::size_t kLongestPrefix = 242;
    if (node_name == workflow_name_) {
      return std::string(workflow_name_);
    }
    std::string prefix(workflow_name_);
    if (!template_name.empty()) {
      prefix += "-" + std::string(template_name);
    }
    return prefix.substr(0, kLongestPrefix) + "-" + std::to_string(fnv1a_32(node_name));
  }

  std::string duration(const Value& node) const {
    const auto started = parse_moment(find_string(node, "startedAt"));
    if (!started) {
      return "0s";
    }
    const auto finished = parse_moment(find_string(node, "finishedAt"));
    return short_duration(finished.value_or(options_.now) - *started);
  }

  static std::string artifact_names(const Value& node) {
    std::string out;
    const Value* outputs = find(node, "outputs");
    const Value* artifacts = outputs == nullptr ? nullptr : find(*outputs, "artifacts");
    if (artifacts != nullptr && artifacts->is_array()) {
      for (const Value& artifact : artifacts->get_array()) {
        out += (out.empty() ? "" : ",") + std::string(find_string(artifact, "name"));
      }
    }
    return out;
  }

  const DescribeOptions& options_;
  AlignedTable& table_;
  std::string_view workflow_name_;
  std::unordered_map<std::string_view, const Value*> nodes_;
  std::unordered_map<std::string_view, std::vector<std::string_view>> children_;
};

}  // namespace

std::string phase_icon(std::string_view phase, const TextStyle& style) {
  struct Icon {
    std::string_view phase, sign;
    int color;
  };

  static constexpr std::array<Icon, 6> kIcons = {{{"Pending", "◷", 33},
                                                  {"Running", "●", 36},
                                                  {"Succeeded", "✔", 32},
                                                  {"Skipped", "○", 39},
                                                  {"Failed", "✖", 31},
                                                  {"Error", "⚠", 31}}};
  for (const Icon& icon : kIcons) {
    if (icon.phase == phase) {
      return colored(style.utf8 ? icon.sign : icon.phase, icon.color, style);
    }
  }
  return "";
}

std::string workflow_tree(const Value& workflow, const DescribeOptions& options) {
  const Value* metadata = find(workflow, "metadata");
  const Value* status = find(workflow, "status");
  const Value* nodes = status == nullptr ? nullptr : find(*status, "nodes");
  if (metadata == nullptr || nodes == nullptr || !nodes->is_object()) {
    return "";
  }
  AlignedTable table(2);
  Tree tree(workflow, options, table);
  const std::string root(find_string(*metadata, "name"));
  if (!tree.has(root)) {
    return "";
  }
  const std::string head = colored("STEP", 39, options.style);
  switch (options.layout) {
    case Layout::wide:
      table.add({head, "TEMPLATE", "PODNAME", "DURATION", "ARTIFACTS", "MESSAGE",
                 "RESOURCESDURATION", "NODENAME"});
      break;
    case Layout::brief:
      table.add({head, "TEMPLATE", "PODNAME", "DURATION", "MESSAGE", "NODENAME"});
      break;
    case Layout::standard:
      table.add({head, "TEMPLATE", "PODNAME", "DURATION", "MESSAGE"});
      break;
  }
  tree.print(root, " ", " ");
  const std::string exit_handler = root + "-" + std::to_string(fnv1a_32(root + ".onExit"));
  if (tree.has(exit_handler)) {
    table.add({"", "", "", "", "", ""});
    tree.print(exit_handler, " ", " ");
  }
  return table.render();
}

}  // namespace tiphys::cli
