#include "workflows/controller/explain.h"

#include "workflows/controller/origin.h"
#include "workflows/controller/reason.h"
#include "workflows/controller/run_view.h"

#include <boost/json.hpp>

#include <algorithm>
#include <set>

namespace tiphys::workflows {
namespace {

using doc::Value;
using executor::KeyDifference;
using Kind = Reason::Kind;

constexpr std::size_t kLongestValue = 120;
/// So many steps of a group, and so many causes of one step, are told of.
constexpr std::size_t kMaximumSteps = 10;
constexpr std::size_t kMaximumCauses = 3;
constexpr int kMaximumDepth = 20;

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string value_text(const std::optional<std::string>& value) {
  if (!value) {
    return "not there";
  }
  return value->empty()                   ? "empty"
         : value->size() <= kLongestValue ? *value
                                          : value->substr(0, kLongestValue) + "...";
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// The member of a list in a node's inputs, or null.
const Value* input_of(const SeenNode& node, std::string_view list, std::string_view name) {
  const Value* inputs = doc::find(*node.status, "inputs");
  const Value* members = inputs == nullptr ? nullptr : doc::find(*inputs, list);
  if (members != nullptr && members->is_array()) {
    for (const Value& member : members->get_array()) {
      if (doc::find_string(member, "name") == name) {
        return &member;
      }
    }
  }
  return nullptr;
}

class Explainer {
 public:
  Explainer(const Records& records, const RunView& run) : records_(records), run_(run) {}

  std::string tell(std::vector<const SeenNode*> pods) {
    std::string out;
    for (const SeenNode* pod : pods) {
      out += pod->name + "\n";
      told_.clear();
      tell_step(*pod, "  ", 0, out);
    }
    return out;
  }

  /// Counts, then the steps that ran.
  std::string tell_group(const SeenNode& group, const std::vector<const SeenNode*>& pods) {
    std::vector<const SeenNode*> ran;
    std::size_t reused = 0;
    for (const SeenNode* pod : pods) {
      const auto reason = reason_of(*pod);
      reused += reason && reason->kind == Kind::reused ? 1 : 0;
      if (reason && reason->kind != Kind::reused) {
        ran.push_back(pod);
      }
    }
    std::string out = group.name + "\n  " + counted(pods.size(), "step") + ": " +
                      std::to_string(ran.size()) + " ran, " + std::to_string(reused) +
                      " did not because their results were reused\n";
    const std::size_t told = std::min(ran.size(), kMaximumSteps);
    const std::size_t more = ran.size() - told;
    ran.resize(told);
    out += tell(std::move(ran));
    return more == 0 ? out : out + "and " + counted(more, "further step") + " that ran\n";
  }

 private:
  std::optional<Reason> reason_of(const SeenNode& pod) const {
    if (const auto text = records_.find(reason_key(run_.uid(), pod.id))) {
      return Reason::from_json(*text);
    }
    // One reason for all nodes of a run that was taken over as a whole.
    const auto text = records_.find(reason_key(run_.uid(), ""));
    auto reason = text ? Reason::from_json(*text) : std::nullopt;
    if (reason && pod.name.starts_with(run_.name())) {
      reason->node = reason->run + pod.name.substr(run_.name().size());
    }
    return reason;
  }

  /// Why a node that a cache or a lock decided on did not run, or not yet; empty = neither.
  static std::string gate_of(const SeenNode& node) {
    const doc::Value* memo = doc::find(*node.status, "memoizationStatus");
    const doc::Value* hit = memo == nullptr ? nullptr : doc::find(*memo, "hit");
    if (hit != nullptr && hit->is_bool() && hit->get_bool()) {
      return "Its outputs come from the cache " +
             std::string(doc::find_string(*memo, "cacheName")) + ", key " +
             std::string(doc::find_string(*memo, "key")) + ".\n";
    }
    const doc::Value* locks = doc::find(*node.status, "synchronizationStatus");
    const std::string_view waiting = locks == nullptr ? "" : doc::find_string(*locks, "waiting");
    return waiting.empty() ? "" : "It waits for the lock " + std::string(waiting) + ".\n";
  }

  void tell_step(const SeenNode& pod, const std::string& indent, int depth, std::string& out) {
    told_.insert(&pod);
    if (const std::string gate = gate_of(pod); !gate.empty()) {
      out += indent + gate;
      return;
    }
    const auto reason = reason_of(pod);
    if (!reason) {
      out += indent + "It has not been decided on yet.\n";
      return;
    }
    out += indent + sentence(pod, *reason) +
           (reason->again ? " It had begun before without success in this run, and ran again.\n"
                          : "\n");
    if (reason->kind != Kind::changed) {
      return;
    }
    for (const KeyDifference& difference : reason->differences) {
      tell_origin(pod, difference, indent, depth, out);
    }
  }

  std::string sentence(const SeenNode& pod, const Reason& reason) const {
    switch (reason.kind) {
      case Kind::reused:
        return "It did not run: the result of " + reason.node +
               " was reused, because all it depends on is the same: its template, its inputs and "
               "the program it starts.";
      case Kind::first_time:
        return "It ran because no earlier run of this step is known.";
      case Kind::changed:
        break;
      case Kind::not_asked:
        return "It ran, although all it depends on is the same as before, because reuse was not "
               "asked for (--reuse).";
      case Kind::failed_before:
        return "It ran because it did not succeed in " + reason.run +
               "; all it depends on is the same.";
      case Kind::not_kept:
        return "It ran because its result of " + reason.run +
               " is not kept any more; all it depends on is the same.";
      case Kind::unusable:
        return "It ran because its result of " + reason.run + " cannot be used: " + reason.detail +
               ".";
      case Kind::not_comparable:
        return "It ran because nobody can tell whether its result would be the same: " +
               reason.detail + ".";
    }
    std::string out = "It ran because ";
    for (std::size_t i = 0; i < reason.differences.size(); ++i) {
      out += (i == 0 ? "" : ", and ") + difference_text(pod, reason.differences[i], reason.run);
    }
    return out + (reason.further == 0
                      ? "."
                      : ", and " + counted(reason.further, "further thing") + " differed.");
  }

  static std::string difference_text(const SeenNode& pod, const KeyDifference& difference,
                                     const std::string& run) {
    const std::string values = " was " + value_text(difference.before) + " in " + run + " and is " +
                               value_text(difference.after) + " now";
    constexpr std::string_view kParameter = "parameter.";
    constexpr std::string_view kInput = "inputs.artifacts.";
    constexpr std::string_view kProgram = "program.";
    constexpr std::string_view kTemplate = "template.";
    const std::string_view name = difference.name;
    if (name.starts_with(kParameter)) {
      return "its parameter " + in_quotes(name.substr(kParameter.size())) + values;
    }
    if (name.starts_with(kInput)) {
      const std::string input(name.substr(kInput.size()));
      const std::string what = input_of(pod, "artifacts", input) != nullptr
                                   ? "its input " + in_quotes(input)
                                   : object_name(input);
      const bool was = difference.before && *difference.before != "none";
      const bool is = difference.after && *difference.after != "none";
      return what + (!was  ? " was not there in " + run
                     : !is ? " was there in " + run + " and is not now"
                           : " has other content than in " + run);
    }
    if (name.starts_with(kProgram)) {
      return "the program " + std::string(name.substr(kProgram.size())) +
             " is another one than in " + run;
    }
    const std::string field(name.starts_with(kTemplate) ? name.substr(kTemplate.size()) : name);
    const bool is_long = [&] {
      return (difference.before && difference.before->size() > kLongestValue) ||
             (difference.after && difference.after->size() > kLongestValue) ||
             value_text(difference.after).starts_with("sha256:");
    }();
    return is_long ? "the text of its " + field + " is another one than in " + run
                   : field + " of its template" + values;
  }

  /// "ConfigMap.settings" as "ConfigMap settings".
  static std::string object_name(std::string name) {
    if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      name[dot] = ' ';
    }
    return name;
  }

  void tell_origin(const SeenNode& pod, const KeyDifference& difference, const std::string& indent,
                   int depth, std::string& out) {
    constexpr std::string_view kParameter = "parameter.";
    constexpr std::string_view kInput = "inputs.artifacts.";
    if (difference.name.starts_with(kParameter)) {
      const std::string name = difference.name.substr(kParameter.size());
      const Origin origin = origin_of_parameter(run_, pod, name);
      if (!origin.text.empty()) {
        out += indent + in_quotes(name) + " comes from " + origin.text + ".\n";
      }
      std::vector<const SeenNode*> pods;
      for (const SeenNode* producer : origin.producers) {
        const auto below = run_.pods_of(*producer);
        pods.insert(pods.end(), below.begin(), below.end());
      }
      tell_causes(pods, indent, depth, out);
    } else if (difference.name.starts_with(kInput)) {
      tell_input_origin(pod, difference.name.substr(kInput.size()), indent, depth, out);
    }
  }

  void tell_input_origin(const SeenNode& pod, const std::string& name, const std::string& indent,
                         int depth, std::string& out) {
    const Value* artifact = input_of(pod, "artifacts", name);
    const Value* s3 = artifact == nullptr ? nullptr : doc::find(*artifact, "s3");
    if (s3 == nullptr) {
      return;
    }
    const auto writers = run_.writers_of(doc::find_string(*s3, "key"));
    if (writers.empty()) {
      out += indent + in_quotes(name) + " was not made by this run: it is what is stored as " +
             std::string(doc::find_string(*s3, "key")) + ".\n";
      return;
    }
    const auto ran = static_cast<std::size_t>(std::ranges::count_if(writers, [&](auto* writer) {
      const auto reason = reason_of(*writer);
      return reason && reason->kind != Kind::reused;
    }));
    out += indent + in_quotes(name) + " was made by ";
    if (writers.size() == 1) {
      out += "step " + run_.place_of(*writers.front());
    } else {
      out +=
          counted(writers.size(), "step") + ", of which " +
          (ran == 0 ? "none ran anew: there were others then" : std::to_string(ran) + " ran anew");
    }
    out += ".\n";
    tell_causes(writers, indent, depth, out);
  }

  /// Why steps whose results changed had run: those that were not reused.
  void tell_causes(const std::vector<const SeenNode*>& steps, const std::string& indent, int depth,
                   std::string& out) {
    std::size_t told = 0;
    std::size_t left = 0;
    for (const SeenNode* step : steps) {
      const auto reason = reason_of(*step);
      if (!reason || reason->kind == Kind::reused || told_.contains(step)) {
        continue;
      }
      if (told == kMaximumCauses || depth >= kMaximumDepth) {
        ++left;
        continue;
      }
      ++told;
      out += indent + "  " + run_.place_of(*step) + "\n";
      tell_step(*step, indent + "    ", depth + 1, out);
    }
    if (left > 0) {
      out += indent + "  and " + counted(left, "further step") + " that ran anew\n";
    }
  }

  const Records& records_;
  const RunView& run_;
  std::set<const SeenNode*> told_;
};

}  // namespace

Result<std::string> explain(const Records& records, const Value& workflow,
                            std::string_view wanted) {
  const RunView run(workflow);
  Explainer explainer(records, run);
  std::string out;
  for (const SeenNode* node : run.find(wanted)) {
    const auto pods = run.pods_of(*node);
    if (node->type == "Pod" || node->type == "Retry") {
      out += explainer.tell(pods);
    } else if (!pods.empty()) {
      out += explainer.tell_group(*node, pods);
    } else {
      out += node->name + "\n  It starts nothing, so there is nothing to reuse or to run.\n";
    }
  }
  if (out.empty()) {
    return fail(ErrorCode::not_found,
                "workflow " + run.name() + " has no step \"" + std::string(wanted) + "\"");
  }
  return out;
}

}  // namespace tiphys::workflows
