#include "workflows/validate/names.h"
#include "workflows/validate/workflow_check.h"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace tiphys::workflows {
namespace {

struct Container {
  std::string name;
  std::vector<std::string> dependencies;
};

std::vector<Container> read_containers(const doc::Value& set) {
  std::vector<Container> containers;
  const doc::Value* list = find_in(set, "containers");
  if (list == nullptr || !list->is_array()) {
    return containers;
  }
  for (const doc::Value& document : list->get_array()) {
    Container& container = containers.emplace_back();
    container.name = doc::find_string(document, "name");
    const doc::Value* names = find_in(document, "dependencies");
    if (names == nullptr || !names->is_array()) {
      continue;
    }
    for (const doc::Value& name : names->get_array()) {
      if (name.is_string()) {
        container.dependencies.emplace_back(doc::text_of(name.get_string()));
      }
    }
  }
  return containers;
}

/// Walks the dependencies depth first, containers by name, without recursion. "b->a->b" when a path
/// comes back to itself.
class CycleSearch {
 public:
  explicit CycleSearch(const std::vector<Container>& containers) {
    for (const Container& container : containers) {
      by_name_.emplace(container.name, &container);
    }
  }

  std::string run() {
    for (const auto& [name, container] : by_name_) {
      if (std::string cycle = walk_from(name, *container); !cycle.empty()) {
        return cycle;
      }
    }
    return "";
  }

 private:
  struct Visit {
    const Container* container;
    std::size_t next = 0;
  };

  /// As upstream: where a walk starts is not part of its path.
  std::string walk_from(const std::string& name, const Container& start) {
    if (done_.contains(name)) {
      return "";
    }
    std::vector<Visit> stack{{&start}};
    std::vector<std::string> path;
    std::unordered_set<std::string> on_path;
    while (!stack.empty()) {
      Visit& visit = stack.back();
      if (visit.next == visit.container->dependencies.size()) {
        done_.insert(visit.container->name);
        stack.pop_back();
        if (!path.empty()) {
          on_path.erase(path.back());
          path.pop_back();
        }
        continue;
      }
      const std::string& dependency = visit.container->dependencies[visit.next++];
      if (on_path.contains(dependency)) {
        return describe(path, dependency);
      }
      if (!done_.contains(dependency)) {
        path.push_back(dependency);
        on_path.insert(dependency);
        stack.push_back({by_name_.at(dependency)});
      }
    }
    return "";
  }

  static std::string describe(const std::vector<std::string>& path, const std::string& end) {
    std::string text;
    for (const std::string& name : path) {
      text += name + "->";
    }
    return text + end;
  }

  std::map<std::string, const Container*> by_name_;
  std::unordered_set<std::string> done_;
};

Result<> check_set_mounts(const doc::Value& set, const std::string& prefix, const Place& place) {
  const doc::Value* mounts = find_in(set, "volumeMounts");
  if (mounts == nullptr || !mounts->is_array()) {
    return {};
  }
  std::unordered_map<std::string, std::string> taken;
  for (std::size_t i = 0; i < mounts->get_array().size(); ++i) {
    const doc::Value& mount = mounts->get_array()[i];
    const std::string path(doc::find_string(mount, "mountPath"));
    const auto [other, is_new] =
        taken.emplace(path, "volumeMounts." + std::string(doc::find_string(mount, "name")));
    if (!is_new) {
      return fail_at(place.element(".volumeMounts", i), ".mountPath",
                     prefix + "volumeMounts[" + std::to_string(i) + "].mountPath '" + path +
                         "' already mounted in " + other->second);
    }
  }
  return {};
}

Result<> check_graph(const std::vector<Container>& containers, const std::string& prefix,
                     const Place& place) {
  std::unordered_set<std::string_view> names;
  for (const Container& container : containers) {
    names.insert(container.name);
  }
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const auto& dependencies = containers[i].dependencies;
    for (std::size_t k = 0; k < dependencies.size(); ++k) {
      if (!names.contains(dependencies[k])) {
        return fail_at(place.element(".containers", i).element(".dependencies", k), "",
                       prefix + "containers." + containers[i].name + " dependency '" +
                           dependencies[k] + "' not defined");
      }
    }
  }
  if (const std::string cycle = CycleSearch(containers).run(); !cycle.empty()) {
    return fail_at(place, ".containers", prefix + "containers dependency cycle detected: " + cycle);
  }
  return {};
}

}  // namespace

Result<> check_container_set(const Template& checked, const Place& place) {
  const std::string prefix = "templates." + checked.name + ".containerSet.";
  const Place at = place.below(".containerSet");
  const std::vector<Container> containers = read_containers(checked.body);
  if (containers.empty()) {
    return fail_at(at, ".containers", prefix + "containers must have at least one container");
  }
  TRY_VOID(
      check_names(containers, NameRule::field, prefix + "containers", at.below(".containers")));
  TRY_VOID(check_set_mounts(checked.body, prefix, at));
  TRY_VOID(check_graph(containers, prefix, at));
  const bool needs_main = !checked.inputs.artifacts.empty() ||
                          !checked.outputs.parameters.empty() || !checked.outputs.artifacts.empty();
  if (needs_main && !has_result(checked)) {
    return fail_at(at, ".containers",
                   prefix + "containers must have a container named \"main\" for input or output");
  }
  for (std::size_t i = 0; i < containers.size(); ++i) {
    if (is_reserved_container(containers[i].name)) {
      return fail_at(
          at.element(".containers", i), ".name",
          prefix + "containers: \"" + containers[i].name + "\" is a reserved Argo container name");
    }
  }
  return {};
}

}  // namespace tiphys::workflows
