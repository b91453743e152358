#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/suggest.h"

#include <CLI/CLI.hpp>

#include <iostream>

namespace tiphys::cli {
namespace {

constexpr int kUsageError = 2;

using Action = std::function<int(const Context&)>;

/// The options that stand on every verb, and the verb that was chosen.
struct Chosen {
  std::string state_directory;
  std::string namespace_;
  bool no_color = false;
  bool no_utf8 = false;
  std::string group;  ///< heading in the help, of the verbs that are added next
  Action action;
};

void add_output(CLI::App& verb, OutputFormat& output, const std::vector<std::string>& formats) {
  verb.add_option("-o,--output", output, "Output format")->check(CLI::IsMember(formats));
}

void add_submit_options(CLI::App& verb, SubmitOptions& submit) {
  verb.add_option("-p,--parameter", submit.parameters,
                  "Pass an input parameter; may be given again")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  verb.add_option("-f,--parameter-file", submit.parameter_file,
                  "Pass a file with input parameters (YAML or JSON)");
  verb.add_option("--entrypoint", submit.entrypoint, "Override the entrypoint");
  verb.add_option("--name", submit.name, "Override metadata.name");
  verb.add_option("--generate-name", submit.generate_name, "Override metadata.generateName");
  verb.add_option("-l,--labels", submit.labels,
                  "Comma separated labels to put on the workflow, a=b,c=d");
  verb.add_option("--serviceaccount", submit.service_account, "Override the service account");
  verb.add_option("--priority", submit.priority, "Override the workflow's priority");
}

void add_selectors(CLI::App& verb, ListCommand& filter) {
  verb.add_option("-l,--selector", filter.selector,
                  "Only workflows with these labels, such as a=b,c!=d or 'a in (b,c)'");
  verb.add_option("--field-selector", filter.field_selector,
                  "Only workflows with these fields: metadata.name, metadata.namespace, "
                  "status.phase, with = or !=");
}

void add_config(CLI::App& verb, std::string& file) {
  verb.add_option("--config", file,
                  "File with settings for all runs, in the shape of upstream's "
                  "workflow-controller-configmap");
}

void add_run_options(CLI::App& verb, RunOptions& run) {
  static const std::map<std::string, Isolation> kIsolation = {{"process", Isolation::process},
                                                              {"namespaces", Isolation::namespaces},
                                                              {"layer", Isolation::layer}};
  verb.add_option("-j,--jobs", run.slots,
                  "Steps at once of those that request nothing (default: one a core)")
      ->check(CLI::PositiveNumber);
  verb.add_flag("--reuse", run.reuse, "Do not run again what is known to give the same");
  verb.add_option("--artifact-key-format", run.artifact_key_format,
                  "Under which key artifacts are stored that name none, with tags (default: "
                  "{{workflow.name}}/{{pod.name}})");
  verb.add_option("--isolation", run.isolation,
                  "What steps run in: layer (a private writable layer over this machine's files), "
                  "namespaces, process")
      ->transform(CLI::CheckedTransformer(kIsolation).description("{layer,namespaces,process}"));
}

/// A verb with its options, kept alive until it is carried out.
template <class Command>
CLI::App* add_verb(CLI::App& app, Chosen& chosen, const std::string& name, const std::string& help,
                   int (*carry_out)(const Context&, const Command&),
                   const std::function<void(CLI::App&, Command&)>& add_options) {
  auto command = std::make_shared<Command>();
  CLI::App* verb = app.add_subcommand(name, help)->group(chosen.group);
  add_options(*verb, *command);
  verb->callback([&chosen, command, carry_out] {
    chosen.action = [command, carry_out](const Context& context) {
      return carry_out(context, *command);
    };
  });
  return verb;
}

void add_run_verbs(CLI::App& app, Chosen& chosen) {
  chosen.group = "Run";
  add_verb<RunCommand>(
      app, chosen, "run", "Run workflows here and now", run_workflows,
      [](CLI::App& verb, RunCommand& command) {
        verb.add_option("files", command.files,
                        "Files or folders with manifests, - for standard input");
        verb.add_option("--resume", command.resume,
                        "Go on with runs that a crash or a stop cut short")
            ->allow_extra_args(false);
        add_submit_options(verb, command.submit);
        add_output(verb, command.output, {"json", "yaml", "name", "wide"});
        verb.add_flag("--dry-run", command.dry_run, "Print the workflow instead of running it");
        verb.add_flag("--log", command.log, "Print the logs of the steps as they are written");
        verb.add_flag("--strict,!--no-strict", command.strict,
                      "Refuse unknown fields (default); --no-strict, --strict=false: ignore them");
        add_run_options(verb, command.run);
        add_config(verb, command.config_file);
      });
  add_verb<RetryCommand>(
      app, chosen, "retry", "Run a failed workflow again from where it failed", retry_workflows,
      [](CLI::App& verb, RetryCommand& command) {
        verb.add_option("names", command.names, "Workflows, @latest for the newest");
        add_selectors(verb, command.filter);
        verb.add_flag("--restart-successful", command.request.restart_successful,
                      "Run again also what succeeded among the nodes that the selector matches");
        verb.add_option("--node-field-selector", command.request.node_field_selector,
                        "Nodes to run again");
        verb.add_option("-p,--parameter", command.parameters,
                        "Override an input parameter; may be given again")
            ->allow_extra_args(false)
            ->type_name("NAME=VALUE");
        verb.add_flag("--log", command.log, "Print the logs of the steps as they are written");
        verb.add_flag("-w,--wait,--watch", command.wait,
                      "Accepted: retry always runs here and returns when the workflow has ended");
        add_output(verb, command.output, {"json", "yaml", "name", "wide"});
        add_run_options(verb, command.run);
        add_config(verb, command.config_file);
      });
  add_verb<PlanCommand>(
      app, chosen, "plan", "Show the steps that will or may run, before any has", plan_workflows,
      [](CLI::App& verb, PlanCommand& command) {
        verb.add_option("files", command.files,
                        "Files or folders with manifests, - for standard input")
            ->required();
        add_submit_options(verb, command.submit);
        add_output(verb, command.output, {"tree", "json", "dot"});
        add_config(verb, command.config_file);
        verb.add_flag("--all", command.all, "Show every element of long loops");
        verb.add_flag("--strict,!--no-strict", command.strict,
                      "Refuse unknown fields (default); --no-strict, --strict=false: ignore them");
      });
  add_verb<TestCommand>(
      app, chosen, "test", "Run the unit tests of workflows, with stubs in place of steps",
      test_workflows, [](CLI::App& verb, TestCommand& command) {
        verb.add_option("files", command.files, "Files or folders with WorkflowTests")->required();
        verb.add_option("--only", command.only, "Only cases whose names contain this");
        add_config(verb, command.config_file);
      });
  add_verb<LintCommand>(
      app, chosen, "lint", "Say what is wrong with manifests", lint_manifests,
      [](CLI::App& verb, LintCommand& command) {
        verb.add_option("files", command.files,
                        "Files or folders with manifests, - for standard input")
            ->required();
        verb.add_option("-o,--output", command.output, "Output format")
            ->check(CLI::IsMember({"pretty", "simple"}));
        verb.add_option("--kinds", command.kinds, "Which kinds to look at (default all)")
            ->delimiter(',');
        verb.add_flag("--strict,!--no-strict", command.strict,
                      "Refuse unknown fields (default); --no-strict, --strict=false: ignore them");
        verb.add_flag("--offline", command.offline,
                      "Accepted: references are always resolved among the given files");
        add_config(verb, command.config_file);
      });
}

void add_looking_verbs(CLI::App& app, Chosen& chosen) {
  chosen.group = "Look";
  add_verb<GetCommand>(
      app, chosen, "get", "Show workflows", get_workflows, [](CLI::App& verb, GetCommand& command) {
        verb.add_option("names", command.names, "Workflows, @latest for the newest")->required();
        add_output(verb, command.output, {"name", "json", "yaml", "short", "wide"});
        verb.add_option("--status", command.status, "Show only nodes in this phase");
        verb.add_option("--node-field-selector", command.node_field_selector,
                        "Show only the nodes that match");
        verb.add_flag("--all-nodes", command.all_nodes,
                      "Show every node of a workflow that has thousands");
      });
  add_verb<ListCommand>(
      app, chosen, "list", "List workflows", list_workflows,
      [](CLI::App& verb, ListCommand& command) {
        add_output(verb, command.output, {"name", "wide", "json", "yaml"});
        CLI::Option* running =
            verb.add_flag("--running", command.running, "Only running workflows");
        verb.add_flag("--completed", command.completed, "Only completed workflows")
            ->excludes(running);
        verb.add_flag("--resubmitted", command.resubmitted, "Only resubmitted workflows");
        verb.add_option("--status", command.status, "Only workflows in these phases")
            ->delimiter(',');
        verb.add_option("--since", command.since,
                        "Only workflows created within this time, such as 1h");
        verb.add_option("--older", command.older,
                        "Only completed workflows that ended longer ago than this, such as 7d");
        verb.add_option("--prefix", command.prefix, "Only workflows whose names begin with this");
        add_selectors(verb, command);
        verb.add_flag("--no-headers", command.no_headers, "Leave out the header line");
        verb.add_flag("-A,--all-namespaces", command.all_namespaces, "Workflows of all namespaces");
        verb.add_option("--chunk-size", command.chunk_size,
                        "Accepted: a list is never long enough here to be asked for in parts");
      });
  add_verb<LogsCommand>(
      app, chosen, "logs", "Print the logs of a workflow's steps", print_logs,
      [](CLI::App& verb, LogsCommand& command) {
        verb.add_option("workflow", command.workflow, "Workflow, @latest for the newest")
            ->required();
        verb.add_option("pod", command.pod, "Only this pod or node");
        verb.add_option("-c,--container", command.query.container,
                        "Only this container (default: main)");
        verb.add_flag("-f,--follow", command.query.follow,
                      "Go on printing until the workflow ends");
        CLI::Option* since = verb.add_option("--since", command.since,
                                             "Only lines younger than this, such as 5s, 2m, 3h");
        verb.add_option("--since-time", command.since_time,
                        "Only lines after this moment (RFC 3339)")
            ->excludes(since);
        verb.add_option("--tail", command.query.tail,
                        "Only so many lines from the end of each log");
        verb.add_flag("--timestamps", command.timestamps, "Put its time before each line");
        verb.add_option("--grep", command.query.grep,
                        "Only lines that match this regular expression");
        verb.add_option("-l,--selector", command.query.label_selector,
                        "Only pods with these labels");
        verb.add_flag("-p,--previous", command.query.previous,
                      "Accepted: the logs of ended containers are always there");
      });
  const auto add_names = [](CLI::App& verb, WatchCommand& command) {
    verb.add_option("names", command.names, "Workflows, @latest for the newest")->required();
    verb.add_flag("--ignore-not-found", command.ignore_not_found,
                  "A workflow that is not there is no error");
  };
  add_verb<WatchCommand>(app, chosen, "watch", "Watch a workflow until it ends", watch_workflows,
                         [add_names](CLI::App& verb, WatchCommand& command) {
                           add_names(verb, command);
                           verb.add_option("--status", command.status,
                                           "Show only nodes in this phase");
                           verb.add_option("--node-field-selector", command.node_field_selector,
                                           "Show only the nodes that match");
                         });
  add_verb<WatchCommand>(app, chosen, "wait", "Wait until workflows have ended", watch_workflows,
                         [add_names](CLI::App& verb, WatchCommand& command) {
                           command.quiet = true;
                           add_names(verb, command);
                         });
  add_verb<ExplainCommand>(
      app, chosen, "explain", "Say why a step ran, or did not", explain_node,
      [](CLI::App& verb, ExplainCommand& command) {
        verb.add_option("workflow", command.workflow, "Workflow, @latest for the newest")
            ->required();
        verb.add_option("node", command.node, "Node: its name, display name or id")->required();
      });
  add_verb<CopyCommand>(
      app, chosen, "cp", "Copy artifacts out of a workflow", copy_artifacts,
      [](CLI::App& verb, CopyCommand& command) {
        verb.add_option("workflow", command.workflow, "Workflow, @latest for the newest")
            ->required();
        verb.add_option("destination", command.destination, "Folder to put them in")->required();
        verb.add_option("--artifact-name", command.artifact_name, "Only artifacts of this name");
        verb.add_option("--node-id", command.node_id, "Only artifacts of this node");
        verb.add_option("--template-name", command.template_name,
                        "Only artifacts of nodes of this template");
        verb.add_option("--path", command.path, "Where each artifact goes below the folder")
            ->capture_default_str();
      });
}

void add_control_verb(CLI::App& app, Chosen& chosen, const std::string& name,
                      const std::string& help, Control::Verb what) {
  add_verb<ControlCommand>(
      app, chosen, name, help, control_workflows, [what](CLI::App& verb, ControlCommand& command) {
        command.control.verb = what;
        verb.add_option("names", command.names, "Workflows, @latest for the newest");
        add_selectors(verb, command.filter);
        if (what == Control::Verb::stop || what == Control::Verb::resume) {
          verb.add_option("--node-field-selector", command.control.node_field_selector,
                          "Only the suspended nodes that match");
        }
        if (what == Control::Verb::stop) {
          verb.add_option("--message", command.control.message,
                          "Message for the nodes that are stopped");
        }
        if (what == Control::Verb::stop || what == Control::Verb::terminate) {
          verb.add_flag("--dry-run", command.dry_run, "Print what would be done");
        }
      });
}

void add_changing_verbs(CLI::App& app, Chosen& chosen) {
  chosen.group = "Change";
  add_control_verb(app, chosen, "stop", "Stop workflows; their exit handlers still run",
                   Control::Verb::stop);
  add_control_verb(app, chosen, "terminate", "Terminate workflows at once, exit handlers included",
                   Control::Verb::terminate);
  add_control_verb(app, chosen, "suspend", "Start nothing more in workflows",
                   Control::Verb::suspend);
  add_control_verb(app, chosen, "resume", "Let workflows and their suspended nodes go on",
                   Control::Verb::resume);
  CLI::App* node = app.add_subcommand("node", "Change nodes of a workflow");
  node->group(chosen.group)->require_subcommand(1);
  add_verb<ControlCommand>(
      *node, chosen, "set", "Set phase, message or outputs of suspended nodes", control_workflows,
      [](CLI::App& verb, ControlCommand& command) {
        command.control.verb = Control::Verb::set;
        verb.add_option("names", command.names, "Workflow")->required();
        verb.add_option("--node-field-selector", command.control.node_field_selector, "Which nodes")
            ->required();
        verb.add_option("--phase", command.control.phase, "Phase to set");
        verb.add_option("-m,--message", command.control.message, "Message to set");
        verb.add_option("-p,--output-parameter", command.output_parameters,
                        "Output to set; may be given again")
            ->allow_extra_args(false)
            ->type_name("NAME=VALUE");
      });
  add_verb<DeleteCommand>(
      app, chosen, "delete", "Delete workflows, their logs and records", delete_workflows,
      [](CLI::App& verb, DeleteCommand& command) {
        verb.add_option("names", command.names, "Workflows, @latest for the newest");
        verb.add_flag("--all", command.all, "All workflows");
        verb.add_flag("--completed", command.filter.completed, "Completed workflows");
        verb.add_flag("--resubmitted", command.filter.resubmitted, "Resubmitted workflows");
        verb.add_option("--older", command.filter.older,
                        "Completed workflows that ended longer ago than this");
        verb.add_option("--prefix", command.filter.prefix, "Workflows whose names begin with this");
        verb.add_option("--status", command.filter.status, "Workflows in these phases")
            ->delimiter(',');
        add_selectors(verb, command.filter);
        verb.add_flag("-A,--all-namespaces", command.filter.all_namespaces,
                      "Workflows of all namespaces");
        verb.add_flag("--dry-run", command.dry_run, "Print what would be deleted");
        verb.add_flag("--force", command.force,
                      "Also when its artifacts cannot be removed: they are left behind");
        verb.add_option("--query-chunk-size", command.filter.chunk_size,
                        "Accepted: a list is never long enough here to be asked for in parts");
      });
}

struct CompletionCommand {
  std::string shell;
};

int print_completion(const Context& context, const CompletionCommand& command) {
  const auto script = completion_script(command.shell);
  if (!script) {
    return report(context, script.error());
  }
  context.out << *script;
  return 0;
}

void add_other_verbs(CLI::App& app, Chosen& chosen) {
  chosen.group = "Other";
  add_verb<CompletionCommand>(app, chosen, "completion",
                              "Print a script that completes command lines in a shell",
                              print_completion, [](CLI::App& verb, CompletionCommand& command) {
                                verb.add_option("shell", command.shell, "Which shell")
                                    ->required()
                                    ->check(CLI::IsMember({"bash", "zsh", "fish"}));
                              });
}

std::string variable(const Surroundings& surroundings, const std::string& name) {
  const auto found = surroundings.environment.find(name);
  return found == surroundings.environment.end() ? "" : found->second;
}

std::string default_state_directory(const Surroundings& surroundings) {
  if (const std::string data = variable(surroundings, "XDG_DATA_HOME"); !data.empty()) {
    return data + "/tiphys";
  }
  const std::string home = variable(surroundings, "HOME");
  return (home.empty() ? "/tmp" : home + "/.local/share") + "/tiphys";
}

/// Names of stored workflows, for completion: none when they cannot be had.
std::vector<std::string> workflow_names(const Surroundings& surroundings, std::string state,
                                        const std::string& name_space) {
  if (state.empty()) {
    state = variable(surroundings, "TIPHYS_STATE");
  }
  std::vector<std::string> out;
  const auto session = surroundings.open_session(
      {state.empty() ? default_state_directory(surroundings) : state, name_space, false});
  const auto workflows = session ? (*session)->list(false) : Result<std::vector<doc::Value>>();
  for (const doc::Value& workflow : workflows ? *workflows : std::vector<doc::Value>()) {
    if (const doc::Value* metadata = doc::find(workflow, "metadata")) {
      out.emplace_back(doc::find_string(*metadata, "name"));
    }
  }
  return out;
}

int complete_words(const Surroundings& surroundings, const CLI::App& app) {
  std::vector<std::string> words(surroundings.arguments.begin() + 1, surroundings.arguments.end());
  if (!words.empty() && words.front() == "--") {
    words.erase(words.begin());
  }
  const CompletionSources sources{[&](const std::string& state, const std::string& name_space) {
    return workflow_names(surroundings, state, name_space);
  }};
  std::cout << complete(app, words, sources);
  return 0;
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    out.push_back(verb->get_name());
  }
  return out;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* level = &app; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options(nullptr)) {
      for (const std::string& name : option->get_lnames()) {
        out.push_back("--" + name);
      }
    }
  }
  return out;
}

/// What was not understood, and what may have been meant.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
  }
  std::string path = verb->get_name();
  for (const CLI::App* level = verb->get_parent(); level != nullptr; level = level->get_parent()) {
    path.insert(0, level->get_name() + " ");
  }
  const std::vector<std::string> extras = app.remaining(true);
  const bool lacks_verb = verb->get_require_subcommand_min() > 0;
  const auto odd = std::ranges::find_if(
      extras, [&](const std::string& extra) { return lacks_verb || extra.starts_with("--"); });
  std::string text = error.what();
  if (lacks_verb && extras.empty()) {
    text = "which verb?";
  } else if (odd != extras.end()) {
    const bool flag = odd->starts_with("-");
    const std::string word = odd->substr(0, flag ? odd->find('=') : std::string::npos);
    text = "unknown " + std::string(flag ? "flag " : "verb ") + word;
    if (const auto meant = suggest(word, flag ? flags_of(*verb) : verbs_of(*verb))) {
      text += ", did you mean " + *meant + "?";
    }
  }
  std::cerr << "Error: " << text << "\n`" << path << " --help` says what there is\n";
  return kUsageError;
}

}  // namespace

int report(const Context& context, const Error& error) {
  context.error << "Error: " << error.message << "\n";
  return 1;
}

int main(const Surroundings& surroundings) {
  // Answered without building the verbs: scripts ask often.
  if (surroundings.arguments.size() == 1 &&
      (surroundings.arguments[0] == "--version" || surroundings.arguments[0] == "version")) {
    std::cout << "tiphys " << surroundings.version << "\n";
    return 0;
  }
  CLI::App app("Tiphys: all of Argo in one native program", "tiphys");
  Chosen chosen;
  chosen.state_directory = variable(surroundings, "TIPHYS_STATE");
  chosen.namespace_ = variable(surroundings, "ARGO_NAMESPACE");
  app.set_version_flag("--version", "tiphys " + surroundings.version);
  app.add_option("--state", chosen.state_directory,
                 "Directory that holds the runs (environment: TIPHYS_STATE; default: under the "
                 "user's data directory)");
  app.add_option("-n,--namespace", chosen.namespace_,
                 "Namespace (environment: ARGO_NAMESPACE; default: any that is there, and "
                 "\"default\" for what is run)");
  app.add_flag("--no-color", chosen.no_color, "No colors");
  app.add_flag("--no-utf8", chosen.no_utf8, "Plain ASCII instead of line-drawing characters");
  app.require_subcommand(1);
  app.fallthrough();
  add_run_verbs(app, chosen);
  add_looking_verbs(app, chosen);
  add_changing_verbs(app, chosen);
  add_other_verbs(app, chosen);
  if (!surroundings.arguments.empty() && surroundings.arguments[0] == "__complete") {
    return complete_words(surroundings, app);
  }

  std::vector<std::string> reversed(surroundings.arguments.rbegin(), surroundings.arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::Success& success) {
    return app.exit(success, std::cout, std::cerr);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  if (chosen.state_directory.empty()) {
    chosen.state_directory = default_state_directory(surroundings);
  }
  const std::string terminal = variable(surroundings, "TERM");
  const std::string forced = variable(surroundings, "CLICOLOR_FORCE");
  const bool wanted = (surroundings.output_is_terminal && terminal != "dumb" &&
                       variable(surroundings, "NO_COLOR").empty()) ||
                      (!forced.empty() && forced != "0");
  const Context context{surroundings,           std::cout,         std::cerr,
                        chosen.state_directory, chosen.namespace_, wanted && !chosen.no_color,
                        !chosen.no_utf8,        terminal != "dumb"};
  return chosen.action(context);
}

}  // namespace tiphys::cli
