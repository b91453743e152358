#include "workflows/plan/print.h"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tiphys::workflows {
namespace {

constexpr std::size_t kShownElements = 3;

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 120;
  std::string out(text.substr(0, kMost));
  std::ranges::replace(out, '\n', ' ');
  return text.size() > kMost ? out + "..." : out;
}

std::string_view mark_of(const PlannedNode& node, const PlanTextOptions& options) {
  static constexpr std::array<std::string_view, 3> kPlain = {"*", "?", "-"};
  static constexpr std::array<std::string_view, 3> kRound = {"●", "◌", "○"};
  const auto at = static_cast<std::size_t>(node.certainty);
  return options.utf8 ? kRound.at(at) : kPlain.at(at);
}

/// Elements of one loop share what stands before "(".
std::string_view loop_name(const PlannedNode& node) {
  const std::size_t at = node.name.find('(');
  return at == std::string::npos || node.is_hook ? std::string_view()
                                                 : std::string_view(node.name).substr(0, at);
}

std::string siblings(const PlannedNode& node, const PlannedNode& parent) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string_view> names;
  for (const std::uint32_t place : node.after) {
    const PlannedNode& before = parent.children[place];
    const std::string_view loop = loop_name(before);
    const std::string_view name = loop.empty() ? std::string_view(before.name) : loop;
    if (names.empty() || names.back() != name) {
      names.push_back(name);
    }
  }
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    out += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  return names.size() > kMost ? out + " and " + std::to_string(names.size() - kMost) + " more"
                              : out;
}

std::string remarks(const PlannedNode& node, const PlannedNode* parent) {
  std::vector<std::string> parts;
  if (!node.loops_over.empty()) {
    parts.push_back("for each of " + shortened(node.loops_over));
  }
  if (parent != nullptr && !node.after.empty()) {
    parts.push_back("after " + siblings(node, *parent));
  }
  if (node.certainty != Certainty::will && !node.depends.empty()) {
    parts.push_back("depends " + shortened(node.depends));
  }
  if (!node.when.empty()) {
    parts.push_back((node.certainty == Certainty::never ? "not when " : "when ") +
                    shortened(node.when));
  }
  if (!node.attempts.empty()) {
    parts.push_back("up to " + node.attempts + " attempts");
  }
  if (node.repeats_itself) {
    parts.emplace_back("calls itself again");
  }
  if (!node.problem.empty()) {
    parts.push_back("will end in Error: " + shortened(node.problem));
  }
  std::string out;
  for (const std::string& part : parts) {
    out += (out.empty() ? "" : "; ") + part;
  }
  return out;
}

class TextWriter {
 public:
  explicit TextWriter(const PlanTextOptions& options) : options_(options) {}

  void tree(const PlannedNode& root) { node(root, nullptr, "", "", ""); }

  std::string take() { return std::move(out_); }

 private:
  void line(const PlannedNode& shown, const PlannedNode* parent, const std::string& lead) {
    out_ += lead;
    if (options_.color) {
      static constexpr std::array<std::string_view, 3> kColors = {"\x1b[32m", "\x1b[33m",
                                                                  "\x1b[90m"};
      out_ += kColors.at(static_cast<std::size_t>(shown.certainty));
    }
    out_ += mark_of(shown, options_);
    out_ += options_.color ? "\x1b[0m " : " ";
    out_ += shown.name;
    if (!shown.template_name.empty() && shown.template_name != shown.name) {
      out_ += "  " + shown.template_name;
    }
    if (!shown.type.empty() &&
        (shown.type == "steps" || shown.type == "dag" || shown.type == "suspend")) {
      out_ += " (" + shown.type + ")";
    }
    if (const std::string more = remarks(shown, parent); !more.empty()) {
      out_ += "  " + more;
    }
    out_ += "\n";
  }

  void node(const PlannedNode& shown, const PlannedNode* parent, const std::string& lead,
            const std::string& first, const std::string& rest) {
    line(shown, parent, lead + first);
    const std::string below = lead + rest;
    const std::string_view tee = options_.utf8 ? "├─" : "|-";
    const std::string_view corner = options_.utf8 ? "└─" : "`-";
    const std::string_view bar = options_.utf8 ? "│ " : "| ";
    for (std::size_t i = 0; i < shown.children.size();) {
      const std::size_t end = loop_end(shown, i);
      const bool cut = options_.elements > 0 && end - i > options_.elements;
      const std::size_t stop = cut ? i + kShownElements : end;
      for (std::size_t k = i; k < stop; ++k) {
        const bool last = k + 1 == shown.children.size();
        node(shown.children[k], &shown, below, std::string(last ? corner : tee),
             last ? "  " : std::string(bar));
      }
      if (cut) {
        out_ += below + std::string(end == shown.children.size() ? corner : tee) + "  " +
                std::to_string(end - stop) + " more of " +
                std::string(loop_name(shown.children[i])) + "\n";
      }
      i = end;
    }
  }

  /// Behind the last element of the loop that child `i` belongs to.
  static std::size_t loop_end(const PlannedNode& parent, std::size_t i) {
    const std::string_view name = loop_name(parent.children[i]);
    std::size_t end = i + 1;
    while (!name.empty() && end < parent.children.size() &&
           loop_name(parent.children[end]) == name) {
      ++end;
    }
    return end;
  }

  const PlanTextOptions& options_;
  std::string out_;
};

void put(doc::Object& object, std::string_view key, const std::string& text) {
  if (!text.empty()) {
    object[{key.data(), key.size()}] = text;
  }
}

doc::Value node_json(const PlannedNode& node, const PlannedNode* parent) {
  doc::Object out;
  out["name"] = node.name;
  put(out, "type", node.type);
  put(out, "templateName", node.template_name);
  put(out, "templateScope", node.template_scope);
  put(out, "image", node.image);
  out["runs"] = std::string(name_of(node.certainty));
  put(out, "when", node.when);
  put(out, "loopsOver", node.loops_over);
  put(out, "depends", node.depends);
  put(out, "attempts", node.attempts);
  put(out, "problem", node.problem);
  if (node.group) {
    out["group"] = *node.group;
  }
  if (node.is_hook) {
    out["hook"] = true;
  }
  if (node.repeats_itself) {
    out["repeatsItself"] = true;
  }
  if (parent != nullptr && !node.after.empty()) {
    doc::Array& after = out["after"].emplace_array();
    for (const std::uint32_t place : node.after) {
      after.emplace_back(parent->children[place].name);
    }
  }
  if (!node.parameters.empty()) {
    doc::Object& parameters = out["parameters"].emplace_object();
    for (const auto& [name, value] : node.parameters) {
      parameters[name] = value;
    }
  }
  if (!node.children.empty()) {
    doc::Array& children = out["children"].emplace_array();
    for (const PlannedNode& child : node.children) {
      children.push_back(node_json(child, &node));
    }
  }
  return out;
}

class DotWriter {
 public:
  void tree(const PlannedNode& node) { visit(node, "  "); }

  std::string take() { return std::move(out_) + edges_; }

 private:
  static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out += '\\';
      }
      out += c == '\n' ? ' ' : c;
    }
    return out + "\"";
  }

  /// Writes a node and returns its number.
  std::size_t visit(const PlannedNode& node, const std::string& indent) {
    const std::size_t number = next_++;
    const std::string id = "n" + std::to_string(number);
    const bool composite = !node.children.empty();
    if (composite) {
      out_ += indent + "subgraph cluster_" + std::to_string(number) + " {\n";
      out_ += indent + "  label=" + quoted(node.name) + ";\n";
    }
    out_ += indent + (composite ? "  " : "") + id + " [label=" +
            quoted(node.template_name.empty() ? node.name
                                              : node.name + " [" + node.template_name + "]");
    out_ += composite ? ", shape=ellipse" : ", shape=box";
    out_ += node.certainty == Certainty::will    ? ""
            : node.certainty == Certainty::never ? ", style=dotted"
                                                 : ", style=dashed";
    out_ += "];\n";
    if (composite) {
      children(node, number, indent + "  ");
      out_ += indent + "}\n";
    }
    return number;
  }

  void edge(std::size_t from, std::size_t to, const std::string& label) {
    edges_ += "  n" + std::to_string(from) + " -> n" + std::to_string(to);
    edges_ += label.empty() ? "" : " [label=" + quoted(shortened(label)) + "]";
    edges_ += ";\n";
  }

  /// Many nodes before a group lead into it through one point, so that edges do not multiply.
  std::vector<std::size_t> joined(std::vector<std::size_t> before, const std::string& indent) {
    if (before.size() < 2) {
      return before;
    }
    const std::size_t point = next_++;
    out_ += indent + "n" + std::to_string(point) + " [shape=point];\n";
    for (const std::size_t from : before) {
      edge(from, point, "");
    }
    return {point};
  }

  void children(const PlannedNode& parent, std::size_t number, const std::string& indent) {
    std::vector<std::size_t> numbers;
    std::vector<std::size_t> previous = {number};
    std::vector<std::size_t> current;
    std::optional<std::uint32_t> group;
    for (const PlannedNode& child : parent.children) {
      const std::size_t own = visit(child, indent);
      numbers.push_back(own);
      if (child.is_hook) {
        edge(numbers.size() > 1 ? numbers[numbers.size() - 2] : number, own, child.when);
        continue;
      }
      if (child.group != group && !current.empty()) {
        previous = joined(std::exchange(current, {}), indent);
      }
      group = child.group;
      current.push_back(own);
      if (child.group) {
        for (const std::size_t from : previous) {
          edge(from, own, child.when);
        }
      } else if (child.after.empty()) {
        edge(number, own, child.when);
      }
      for (const std::uint32_t place : child.after) {
        edge(numbers[place], own, child.when);
      }
    }
  }

  std::string out_;
  std::string edges_;
  std::size_t next_ = 0;
};

}  // namespace

std::string plan_text(const RunPlan& plan, const PlanTextOptions& options) {
  const auto counted = [](std::size_t count) {
    return std::to_string(count) + (count == 1 ? " step" : " steps");
  };
  std::string out = plan.workflow + ": " + counted(plan.will_run) + " will run";
  if (plan.may_run > 0) {
    out += ", " + std::to_string(plan.may_run) + " may";
  }
  out += plan.cut ? " (cut: there are more)\n" : "\n";
  TextWriter writer(options);
  writer.tree(plan.entry);
  for (const PlannedNode& hook : plan.hooks) {
    writer.tree(hook);
  }
  return out + writer.take();
}

doc::Value plan_json(const RunPlan& plan) {
  doc::Object out;
  out["workflow"] = plan.workflow;
  out["willRun"] = plan.will_run;
  out["mayRun"] = plan.may_run;
  if (plan.cut) {
    out["cut"] = true;
  }
  out["entry"] = node_json(plan.entry, nullptr);
  if (!plan.hooks.empty()) {
    doc::Array& hooks = out["hooks"].emplace_array();
    for (const PlannedNode& hook : plan.hooks) {
      hooks.push_back(node_json(hook, nullptr));
    }
  }
  return out;
}

std::string plan_dot(const RunPlan& plan) {
  DotWriter writer;
  writer.tree(plan.entry);
  for (const PlannedNode& hook : plan.hooks) {
    writer.tree(hook);
  }
  return "digraph \"" + plan.workflow + "\" {\n  rankdir=LR;\n" + writer.take() + "}\n";
}

}  // namespace tiphys::workflows
