#include "workflows/validate/library.h"

#include "lang/gotext/gotext.h"
#include "workflows/validate/go_form.h"

namespace tiphys::workflows {
namespace {

constexpr std::string_view kTemplate = "WorkflowTemplate";
constexpr std::string_view kClusterTemplate = "ClusterWorkflowTemplate";

std::string key_of(std::string_view kind, std::string_view name_space, std::string_view name) {
  std::string key(kind);
  key += '/';
  key += kind == kClusterTemplate ? "" : name_space;
  key += '/';
  return key += name;
}

const doc::Type* type_of(const doc::Schema& schema, const doc::Value& document) {
  return schema.find("workflows/v1alpha1." + std::string(doc::find_string(document, "kind")));
}

}  // namespace

const Template* TemplateBase::find(std::string_view name) const {
  const auto place = by_name.find(std::string(name));
  return place == by_name.end() ? nullptr : &spec.templates[place->second];
}

Result<std::unique_ptr<TemplateBase>> read_base(std::string scope, const doc::Value& document) {
  auto base = std::make_unique<TemplateBase>();
  base->scope = std::move(scope);
  TRY(base->spec, decode_spec(document));
  for (std::size_t i = 0; i < base->spec.templates.size(); ++i) {
    base->by_name.emplace(base->spec.templates[i].name, i);
  }
  return base;
}

Library::Library(std::span<const Candidate> candidates, const ValidateOptions& options,
                 const doc::Schema& schema)
    : candidates_(candidates), options_(options), schema_(schema) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const doc::Value& document = *candidates[i].document;
    const std::string_view kind = doc::find_string(document, "kind");
    const doc::Value* metadata = doc::find(document, "metadata");
    if ((kind != kTemplate && kind != kClusterTemplate) || metadata == nullptr) {
      continue;
    }
    const auto [place, is_new] = places_.emplace(
        key_of(kind, doc::find_string(*metadata, "namespace"), doc::find_string(*metadata, "name")),
        i);
    if (!is_new) {
      duplicates_[i] = true;
    }
  }
}

const CandidateReport& Library::report(std::size_t candidate) {
  const auto [place, is_new] = reports_.try_emplace(candidate);
  CandidateReport& report = place->second;
  if (!is_new) {
    return report;
  }
  const auto& [document, positions] = candidates_[candidate];
  if (const doc::Type* type = type_of(schema_, *document)) {
    const doc::ValidateOptions options{.unknown_fields = options_.strict, .rules = false};
    report.faults = doc::validate(*type, *document, positions, options);
    report.document = go_form(*type, *document);
  }
  return report;
}

std::unique_ptr<TemplateBase> Library::read(const doc::Value& document, std::string scope) {
  const doc::Value* spec = doc::find(document, "spec");
  auto base = read_base(std::move(scope), spec == nullptr ? doc::Value() : *spec);
  if (!base) {
    return nullptr;
  }
  (*base)->is_local = false;
  return std::move(*base);
}

Result<const TemplateBase*> Library::find(const std::string& name, bool cluster_scope,
                                          const std::string& name_space) {
  const std::string_view kind = cluster_scope ? kClusterTemplate : kTemplate;
  const std::string key = key_of(kind, name_space, name);
  auto place = bases_.find(key);
  if (place == bases_.end()) {
    const std::string scope = (cluster_scope ? "cluster/" : "namespaced/") + name;
    std::unique_ptr<TemplateBase> base;
    if (const auto known = places_.find(key); known != places_.end()) {
      base = read(report(known->second).document, scope);
    } else if (const doc::Value* document = options_.known ? options_.known(kind, name) : nullptr) {
      const doc::Type* type = type_of(schema_, *document);
      base = read(type == nullptr ? *document : go_form(*type, *document), scope);
    }
    if (base != nullptr) {
      base->has_defaults = !cluster_scope;
    }
    place = bases_.emplace(key, std::move(base)).first;
  }
  if (place->second != nullptr) {
    return place->second.get();
  }
  const std::string quoted = lang::quote(name);
  if (options_.known) {
    return fail(ErrorCode::not_found, std::string(cluster_scope ? "cluster" : "") +
                                          "workflowtemplates.argoproj.io " + quoted + " not found");
  }
  return fail(ErrorCode::unavailable, cluster_scope
                                          ? "couldn't find cluster workflow template " + quoted
                                          : "couldn't find workflow template " + quoted +
                                                " in namespace " + lang::quote(name_space));
}

}  // namespace tiphys::workflows
