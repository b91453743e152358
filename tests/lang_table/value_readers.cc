// Tables when, node-names, duration and yaml.

#include "doc/yaml.h"
#include "lang/duration/api_values.h"
#include "lang/gotime/gotime.h"
#include "lang/names/names.h"
#include "lang/when/when.h"
#include "reader.h"

#include <boost/json.hpp>

#include <map>

namespace tiphys::table {
namespace {

using namespace lang;

std::unexpected<std::string> unknown(const Case& one) {
  return std::unexpected("no reader for op " + text_at(one.in, "op"));
}

std::map<std::string, std::string> texts_at(const doc::Value& value, std::string_view key) {
  std::map<std::string, std::string> texts;
  if (const doc::Value* held = doc::find(value, key); held != nullptr && held->is_object()) {
    for (const auto& member : held->get_object()) {
      texts.emplace(member.key(), doc::text_of(member.value().as_string()));
    }
  }
  return texts;
}

Outcome pod_name_case(const doc::Value& in) {
  const std::string name = pod_name(text_at(in, "workflow"), text_at(in, "node"),
                                    text_at(in, "template"), pod_names_of(text_at(in, "version")));
  return doc::Object{{"length", static_cast<std::int64_t>(name.size())},
                     {"name", text_value(name)}};
}

Outcome child_name_case(const doc::Value& in) {
  const doc::Value& description = *doc::find(in, "desc");
  const std::string text = description.is_string()
                               ? std::string(doc::text_of(description.get_string()))
                               : go_value(description).text();
  return text_outcome(loop_child_name(text_at(in, "name"),
                                      static_cast<std::size_t>(integer_at(in, "index")), text));
}

Outcome stored_template_case(const doc::Value& in) {
  const doc::Value& step = *doc::find(in, "holder");
  TemplateHolder holder{.name = text_at(step, "name"),
                        .template_name = text_at(step, "template"),
                        .has_inline = doc::find(step, "inline") != nullptr,
                        .reference = {}};
  if (const doc::Value* reference = doc::find(step, "templateRef")) {
    holder.reference = {.name = text_at(*reference, "name"),
                        .template_name = text_at(*reference, "template"),
                        .cluster_scope = flag_at(*reference, "clusterScope")};
  }
  const auto scope = template_scope(text_at(in, "scope"));
  if (!scope) {
    return failed(scope.error());
  }
  const auto id = stored_template_id(*scope, text_at(in, "resource"), holder);
  return doc::Object{{"id", text_value(id.value_or(""))}, {"stored", id.has_value()}};
}

Outcome artifact_gc_case(const doc::Value& in) {
  const auto time = artifact_gc_time(text_at(in, "strategy"));
  if (!time) {
    return failed(time.error());
  }
  return text_value(artifact_gc_pod_name(text_at(in, "workflow"), *time,
                                         text_at(in, "serviceAccount"), texts_at(in, "labels"),
                                         texts_at(in, "annotations")));
}

Outcome parse_duration_case(const doc::Value& in) {
  using namespace std::chrono_literals;
  const auto duration = parse_duration(text_at(in, "text"));
  if (!duration) {
    return failed(duration.error());
  }
  return doc::Object{{"nanos", std::to_string(duration->count())},
                     {"round", text_value(duration_text(round_duration(*duration, 1s)))},
                     {"seconds", text_value(ExprValue::number(seconds_of(*duration)).typed_text())},
                     {"text", text_value(duration_text(*duration))},
                     {"truncate", text_value(duration_text(truncate_duration(*duration, 1min)))}};
}

Outcome meta_duration_case(const doc::Value& in) {
  const auto duration = duration_from_json(text_at(in, "json"));
  if (!duration) {
    return failed(duration.error());
  }
  return doc::Object{{"json", text_value(duration_to_json(*duration))},
                     {"nanos", std::to_string(duration->count())}};
}

Outcome time_case(const doc::Value& in, TimeForm form) {
  const auto instant = time_from_json(text_at(in, "json"), form);
  if (!instant) {
    return failed(instant.error());
  }
  doc::Object out{{"json", text_value(time_to_json(*instant, form))},
                  {"zero", !instant->has_value()}};
  if (form == TimeForm::seconds) {
    out["unix"] = instant->value_or(Instant::zero()).unix_seconds;
  }
  return out;
}

Outcome int_or_string_case(const doc::Value& in) {
  const auto value = IntOrString::from_json(text_at(in, "json"));
  if (!value) {
    return failed(value.error());
  }
  return doc::Object{{"intValue", value->number()},
                     {"json", text_value(value->to_json())},
                     {"string", text_value(value->text())},
                     {"type", value->is_number() ? "int" : "string"}};
}

Outcome scaled_case(const doc::Value& in) {
  using enum IntOrString::Rounding;
  const auto scaled = IntOrString::parse(text_at(in, "value"))
                          .scaled(integer_at(in, "total"), flag_at(in, "roundUp") ? up : down);
  return scaled ? Outcome(*scaled) : failed(scaled.error());
}

}  // namespace

Outcome read_when(const Case& one) {
  const auto runs = should_execute(text_at(one.in, "when"));
  return runs ? Outcome(*runs) : failed(runs.error());
}

Outcome read_names(const Case& one) {
  const doc::Value& in = one.in;
  const std::string op = text_at(in, "op");
  const std::string node = text_at(in, "node");
  if (op == "nodeID") {
    return text_value(node_id(text_at(in, "workflow"), node));
  }
  if (op == "podName") {
    return pod_name_case(in);
  }
  if (op == "podNameVersion") {
    const auto annotations = texts_at(in, "annotations");
    const auto place = annotations.find("workflows.argoproj.io/pod-name-format");
    return text_value(text_of(pod_names_of(place == annotations.end()
                                               ? std::nullopt
                                               : std::optional<std::string_view>(place->second))));
  }
  if (op == "childName") {
    return child_name_case(in);
  }
  if (op == "recoverIndex") {
    const auto index = loop_index_of(text_at(in, "name"));
    return index ? Outcome(*index) : failed(index.error());
  }
  if (op == "displayName") {
    return text_value(display_name(node, text_at(in, "boundary")));
  }
  if (op == "taskName") {
    return text_value(task_name(node));
  }
  if (op == "displayNameValid") {
    const auto valid = check_display_name(text_at(in, "name"));
    return valid ? Outcome("valid") : failed(valid.error());
  }
  if (op == "agentPod") {
    return text_value(agent_pod_name(text_at(in, "workflow")));
  }
  if (op == "artGCPod") {
    return artifact_gc_case(in);
  }
  if (op == "onExitName") {
    return text_value(on_exit_name(node));
  }
  if (op == "storedTemplateID") {
    return stored_template_case(in);
  }
  if (op == "cronChild") {
    return text_value(cron_child_name(text_at(in, "cron"), integer_at(in, "scheduledUnix")));
  }
  return unknown(one);
}

Outcome read_duration(const Case& one) {
  const std::string op = text_at(one.in, "op");
  if (op == "parseDuration") {
    return parse_duration_case(one.in);
  }
  if (op == "metaDuration") {
    return meta_duration_case(one.in);
  }
  if (op == "metaTime") {
    return time_case(one.in, TimeForm::seconds);
  }
  if (op == "microTime") {
    return time_case(one.in, TimeForm::microseconds);
  }
  if (op == "intOrString") {
    return int_or_string_case(one.in);
  }
  if (op == "scaled") {
    return scaled_case(one.in);
  }
  return unknown(one);
}

Outcome read_yaml(const Case& one) {
  const std::string op = text_at(one.in, "op");
  if (op == "fromJSON") {
    const auto value = doc::parse_json(text_at(one.in, "json"));
    return value ? Outcome(text_value(doc::to_yaml(*value))) : failed(value.error());
  }
  if (op != "toJSON" && op != "toJSONStrict") {
    return unknown(one);
  }
  doc::YamlOptions options;
  if (op == "toJSONStrict") {
    options.duplicate_keys = doc::DuplicateKeys::error;
  }
  const auto document = doc::parse_yaml(text_at(one.in, "text"), options);
  return document ? Outcome(text_value(doc::to_json(document->value, {.sort_keys = true})))
                  : failed(document.error());
}

}  // namespace tiphys::table
