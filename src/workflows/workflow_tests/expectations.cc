#include "workflows/workflow_tests/expectations.h"

#include "lang/gotime/gotime.h"
#include "workflows/engine/status.h"
#include "workflows/engine/tag_text.h"

#include <boost/json.hpp>

#include <algorithm>

namespace tiphys::workflows {
namespace {

std::string expected(std::string_view what, std::string_view found, std::string_view wanted) {
  return std::string(what) + " is " + (found.empty() ? "not there" : std::string(found)) +
         ", expected " + std::string(wanted);
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

class Checker {
 public:
  Checker(const Engine& engine, const std::string& path) : engine_(engine), path_(path) {}

  void check(const Expectation& expect, std::chrono::milliseconds duration) {
    const std::string wanted = expect.phase.empty() ? "Succeeded" : expect.phase;
    if (name_of(engine_.phase()) != wanted) {
      std::string text = expected("phase", name_of(engine_.phase()), wanted);
      text += first_failure();
      add(".phase", std::move(text));
    }
    if (!engine_.message().contains(expect.message)) {
      add(".message", expected("message", quoted(engine_.message()), quoted(expect.message)));
    }
    if (!expect.duration.text.empty()) {
      const auto exact = parse_timeout(expect.duration.text);
      if (exact && *exact != duration) {
        add(".duration",
            expected("duration", lang::duration_text(duration), lang::duration_text(*exact)));
      }
    }
    check_outputs(expect.outputs);
    check_order(expect.order);
    check_never(expect.never);
    for (std::size_t i = 0; i < expect.nodes.size(); ++i) {
      check_node(expect.nodes[i], ".nodes[" + std::to_string(i) + "]");
    }
  }

  std::vector<CaseFailure> take() { return std::move(failures_); }

 private:
  void add(const std::string& where, std::string message) {
    failures_.push_back({path_ + where, std::move(message)});
  }

  /// What went wrong first: the message of a step says more than that of the Workflow.
  std::string first_failure() const {
    const NodeTable& nodes = engine_.nodes();
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
      if (nodes[i].type == NodeType::pod && failed_or_error(nodes[i].phase)) {
        return " (" + nodes.display_name(i) + ": " + nodes[i].message + ")";
      }
    }
    return engine_.message().empty() ? "" : " (" + engine_.message() + ")";
  }

  /// Nodes a pattern names, attempts and groups left out.
  std::vector<NodeIndex> find(const std::string& pattern, const std::string& template_name) const {
    const NodeTable& nodes = engine_.nodes();
    std::vector<NodeIndex> out;
    for (NodeIndex i = 0; i < nodes.size(); ++i) {
      const Node& node = nodes[i];
      if (node.retried || node.type == NodeType::step_group || node.type == NodeType::task_group) {
        continue;
      }
      if ((template_name.empty() || nodes.call(i).target() == template_name) &&
          (pattern.empty() ||
           names_node(pattern, node.name, nodes.display_name(i), nodes.workflow_name()))) {
        out.push_back(i);
      }
    }
    return out;
  }

  void check_outputs(const TextByName& wanted) {
    if (wanted.empty()) {
      return;
    }
    const doc::Value document = engine_.workflow(Engine::WithNodes::no);
    const doc::Value* status = doc::find(document, "status");
    const doc::Value* outputs = status == nullptr ? nullptr : doc::find(*status, "outputs");
    compare_parameters(wanted, outputs, "output", ".outputs");
  }

  void compare_parameters(const TextByName& wanted, const doc::Value* holder, std::string_view what,
                          const std::string& where) {
    const auto decoded = holder == nullptr ? Result<Outputs>(Outputs{}) : decode_outputs(*holder);
    for (const auto& [name, value] : wanted) {
      std::optional<std::string> found;
      for (const Parameter& parameter : decoded ? decoded->parameters : std::vector<Parameter>()) {
        if (parameter.name == name) {
          found = parameter.value;
        }
      }
      if (found != value.text) {
        add(where + "." + name, expected(std::string(what) + " " + name,
                                         found ? quoted(*found) : "", quoted(value.text)));
      }
    }
  }

  bool ran(NodeIndex index) const {
    const NodePhase phase = engine_.nodes()[index].phase;
    return phase != NodePhase::skipped && phase != NodePhase::omitted;
  }

  void check_order(const std::vector<std::string>& order) {
    TimePoint before = kNoTime;
    std::string previous;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::string where = ".order[" + std::to_string(i) + "]";
      const auto found = find(order[i], "");
      if (std::ranges::none_of(found, [&](NodeIndex n) { return ran(n); })) {
        add(where, "no step " + order[i] + " has run");
        return;
      }
      TimePoint end = kNoTime;
      for (const NodeIndex index : found) {
        const Node& node = engine_.nodes()[index];
        if (ran(index) && i > 0 && node.started < before) {
          add(where,
              engine_.nodes().display_name(index) + " started before " + previous + " had ended");
        }
        end = std::max(end, node.finished);
      }
      before = end;
      previous = order[i];
    }
  }

  void check_never(const std::vector<std::string>& never) {
    for (std::size_t i = 0; i < never.size(); ++i) {
      for (const NodeIndex index : find(never[i], "")) {
        if (ran(index)) {
          add(".never[" + std::to_string(i) + "]",
              engine_.nodes().display_name(index) + " has run");
        }
      }
    }
  }

  void check_node(const NodeExpectation& wanted, const std::string& where) {
    const auto found = find(wanted.node, wanted.template_name);
    const std::string subject =
        wanted.node.empty() ? "template " + wanted.template_name : wanted.node;
    if (wanted.count && static_cast<std::int64_t>(found.size()) != *wanted.count) {
      add(where + ".count", expected("number of steps " + subject, std::to_string(found.size()),
                                     std::to_string(*wanted.count)));
    }
    if (!wanted.count && found.empty()) {
      add(where, "there is no step " + subject);
    }
    for (const NodeIndex index : found) {
      check_one(wanted, where, index);
    }
  }

  void check_one(const NodeExpectation& wanted, const std::string& where, NodeIndex index) {
    const NodeTable& nodes = engine_.nodes();
    const Node& node = nodes[index];
    const std::string name = nodes.display_name(index);
    if (!wanted.phase.empty() && name_of(node.phase) != wanted.phase) {
      std::string text = expected("phase of " + name, name_of(node.phase), wanted.phase);
      text += node.message.empty() ? "" : " (" + node.message + ")";
      add(where + ".phase", std::move(text));
    }
    if (!node.message.contains(wanted.message)) {
      add(where + ".message",
          expected("message of " + name, quoted(node.message), quoted(wanted.message)));
    }
    if (wanted.attempts) {
      const auto attempts = node.type != NodeType::retry
                                ? std::int64_t{1}
                                : std::ranges::count_if(node.children, [&](NodeIndex child) {
                                    return nodes[child].retried;
                                  });
      if (attempts != *wanted.attempts) {
        add(where + ".attempts", expected("number of attempts of " + name, std::to_string(attempts),
                                          std::to_string(*wanted.attempts)));
      }
    }
    if (wanted.inputs.empty() && wanted.outputs.empty() && !wanted.result) {
      return;
    }
    const doc::Value status = engine_.node_status(index);
    compare_parameters(wanted.inputs, doc::find(status, "inputs"), "input of " + name,
                       where + ".inputs");
    const doc::Value* outputs = doc::find(status, "outputs");
    compare_parameters(wanted.outputs, outputs, "output of " + name, where + ".outputs");
    const std::string result(outputs == nullptr ? "" : doc::find_string(*outputs, "result"));
    if (wanted.result && result != wanted.result->text) {
      add(where + ".result",
          expected("result of " + name, quoted(result), quoted(wanted.result->text)));
    }
  }

  const Engine& engine_;
  const std::string& path_;
  std::vector<CaseFailure> failures_;
};

}  // namespace

std::vector<CaseFailure> check_expectation(const Expectation& expect, const std::string& path,
                                           const Engine& engine,
                                           std::chrono::milliseconds duration) {
  Checker checker(engine, path);
  checker.check(expect, duration);
  return checker.take();
}

}  // namespace tiphys::workflows
