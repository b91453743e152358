#include "cluster/node/files.h"
#include "cluster/node/pod_run.h"
#include "cluster/node/security.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace tiphys::node {
namespace {

/// The kernel takes no single argument longer than this (MAX_ARG_STRLEN, its zero byte included).
constexpr std::size_t kMaximumArgument = 128 * 1024 - 1;

const doc::Value& member(const doc::Value& value, std::string_view key) {
  static const doc::Value kEmpty = doc::Object();
  const doc::Value* found = doc::find(value, key);
  return found != nullptr ? *found : kEmpty;
}

bool flag(const doc::Value& value, std::string_view key) {
  const doc::Value* found = doc::find(value, key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

/// Whether a program of this name stands on the environment's PATH.
bool is_program(const std::string& name, const std::vector<std::string>& environment) {
  constexpr std::string_view kPath = "PATH=";
  const auto path = std::ranges::find_if(
      environment, [&](const std::string& variable) { return variable.starts_with(kPath); });
  if (name.empty() || path == environment.end()) {
    return false;
  }
  std::string_view folders = std::string_view(*path).substr(kPath.size());
  while (!folders.empty()) {
    const std::string_view folder = folders.substr(0, folders.find(':'));
    folders.remove_prefix(std::min(folder.size() + 1, folders.size()));
    if (access((std::string(folder) + "/" + name).c_str(), X_OK) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<> PodRun::fill_spec(Container& container) {
  ContainerSpec& spec = container.spec;
  const doc::Value& document = *container.document;
  spec = {};
  spec.host_name = doc::find_string(member(*pod_, "spec"), "hostname");
  if (spec.host_name.empty()) {
    // As the kubelet cuts it: a host name has at most 63 characters.
    spec.host_name = key_.name.substr(0, 63);
    spec.host_name.erase(spec.host_name.find_last_not_of("-.") + 1);
  }
  TRY(spec.environment, make_environment(context(), document));
  if (plan_) {
    spec.environment.emplace_back(kProgressVariable);
    if (container.main && mains_begun_ && shared_.callbacks.on_progress) {
      spec.on_progress = [this](const std::string& text) {
        shared_.callbacks.on_progress(key_, text);
      };
    }
  }
  spec.arguments = make_arguments(document, spec.environment);
  const doc::Array* command = member(document, "command").if_array();
  const std::string entrypoint = entrypoint_of_image(doc::find_string(document, "image"));
  if ((command == nullptr || command->empty()) && is_program(entrypoint, spec.environment)) {
    spec.arguments.insert(spec.arguments.begin(), entrypoint);
  }
  if (spec.arguments.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("failed to generate container \"{}\" spec: failed to generate spec: no "
                            "command specified",
                            container.state->name));
  }
  TRY(spec.mounts, container_mounts(volumes_, document, spec.environment));
  spec.working_directory = doc::find_string(document, "workingDir");
  const Isolation isolation = shared_.sandbox.isolation();
  TRY_VOID(add_security(container));
  if (spec.working_directory.empty()) {
    spec.working_directory = "/";
  }
  spec.terminal = flag(document, "tty");
  if (container.captured && !input_.empty()) {
    TRY_VOID(add_staged_files(container));
  }
  TRY_VOID(add_large_arguments(container));
  if (isolation == Isolation::layer) {
    TRY(spec.layer,
        shared_.sandbox.make_layer(spec.lowers.empty() ? LayerUse::alone : LayerUse::over_lowers));
  }
  if (isolation == Isolation::process) {
    TRY_VOID(place_links(spec.mounts));
    spec.mounts.clear();
  }
  return {};
}

Result<> PodRun::add_security(Container& container) {
  ContainerSpec& spec = container.spec;
  TRY(Security security,
      security_of(*pod_, *container.document, geteuid() == 0 ? Rights::root : Rights::user));
  spec.user = security.user;
  spec.group = security.group;
  spec.groups = std::move(security.groups);
  spec.capabilities = security.capabilities;
  spec.no_new_privileges = security.no_new_privileges;
  if (shared_.sandbox.isolation() == Isolation::layer) {
    spec.read_only_root = security.read_only_root;
  } else if (security.read_only_root) {
    security.notices.emplace_back(
        "without a layer over this machine's files readOnlyRootFilesystem has no effect");
  }
  for (const std::string& notice : security.notices) {
    if (shared_.note_once) {
      shared_.note_once(notice);
    }
  }
  return {};
}

/// An argument longer than the kernel takes becomes "@/tmp/argo_arg_<i>.txt", a file that holds it
/// (upstream's emissary; programs that read such arguments know the form).
Result<> PodRun::add_large_arguments(Container& container) {
  ContainerSpec& spec = container.spec;
  for (std::size_t i = 1; i < spec.arguments.size(); ++i) {
    std::string& argument = spec.arguments[i];
    if (argument.size() <= kMaximumArgument) {
      continue;
    }
    const std::string folder = fmt::format("{}/arguments/{}", pod_folder_, container.state->name);
    const std::string file = fmt::format("{}/argo_arg_{}.txt", folder, i - 1);
    has_folder_ = true;
    TRY_VOID(make_folders(folder));
    TRY_VOID(write_text(file, argument, 0644));
    if (shared_.sandbox.isolation() == Isolation::process) {
      argument = "@" + file;
      continue;
    }
    const std::string target = fmt::format("/tmp/argo_arg_{}.txt", i - 1);
    argument = "@" + target;
    spec.mounts.push_back({file, "", target, false});
  }
  return {};
}

/// The staged files become a layer, or else mounts of their own.
Result<> PodRun::add_staged_files(Container& container) {
  if (shared_.sandbox.isolation() == Isolation::layer) {
    if (plan_->input_artifacts.empty()) {
      // Only a script: its folder stands ready in every layer, and a mount costs less than a layer.
      const std::string folder(executor::kScriptPath.substr(0, executor::kScriptPath.rfind('/')));
      container.spec.mounts.push_back({input_ + folder, "", folder, false});
      return {};
    }
    container.spec.lowers.push_back(input_.substr(input_.rfind('/') + 1));
    return {};
  }
  std::vector<std::string> paths;
  for (const executor::InputArtifact& artifact : plan_->input_artifacts) {
    paths.push_back(artifact.path);
  }
  // A script's path is only an argument: it is pointed to where the script is.
  for (std::string& argument : container.spec.arguments) {
    if (plan_->script_source && argument == executor::kScriptPath) {
      argument = input_ + argument;
    }
  }
  for (const std::string& path : paths) {
    const auto clean = clean_path(path);
    struct stat status{};
    if (clean && lstat((input_ + *clean).c_str(), &status) == 0) {
      container.spec.mounts.push_back({input_ + *clean, "", *clean, false});
    }
  }
  return {};
}

/// Without namespaces a link stands where a mount would; nothing of the machine is replaced.
Result<> PodRun::place_links(const std::vector<Mount>& mounts) {
  for (const Mount& mount : mounts) {
    const std::string source =
        mount.sub_path.empty() ? mount.source : mount.source + "/" + mount.sub_path;
    if (!mount.sub_path.empty()) {
      TRY_VOID(make_folders(source));
    }
    TRY_VOID(
        make_folders(mount.target.substr(0, std::max<std::size_t>(mount.target.rfind('/'), 1))));
    if (symlink(source.c_str(), mount.target.c_str()) == 0) {
      links_.push_back(mount.target);
      continue;
    }
    struct stat there{};
    struct stat ours{};
    const bool same = stat(mount.target.c_str(), &there) == 0 && stat(source.c_str(), &ours) == 0 &&
                      there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
    if (!same) {
      return fail(ErrorCode::invalid,
                  fmt::format("{} is in use on this machine, and without namespaces nothing else "
                              "can stand there",
                              mount.target));
    }
  }
  return {};
}

}  // namespace tiphys::node
