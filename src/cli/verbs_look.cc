#include "cli/verb_table.h"

namespace tiphys::cli {

void add_looking_verbs(VerbTable table) {
  table.add<GetCommand>(
      "get", "Show workflows", get_workflows, [](CLI::App& verb, GetCommand& command) {
        verb.add_option("names", command.names, "Workflows, @latest for the newest")->required();
        add_output(verb, command.output, {"name", "json", "yaml", "short", "wide"});
        verb.add_option("--status", command.status, "Show only nodes in this phase");
        verb.add_option("--node-field-selector", command.node_field_selector,
                        "Show only the nodes that match");
        verb.add_flag("--all-nodes", command.all_nodes,
                      "Show every node of a workflow that has thousands");
      });
  table.add<ListCommand>(
      "list", "List workflows", list_workflows, [](CLI::App& verb, ListCommand& command) {
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
  table.add<LogsCommand>(
      "logs", "Print the logs of a workflow's steps", print_logs,
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
  table.add<WatchCommand>("watch", "Watch a workflow until it ends", watch_workflows,
                          [add_names](CLI::App& verb, WatchCommand& command) {
                            add_names(verb, command);
                            verb.add_option("--status", command.status,
                                            "Show only nodes in this phase");
                            verb.add_option("--node-field-selector", command.node_field_selector,
                                            "Show only the nodes that match");
                          });
  table.add<WatchCommand>("wait", "Wait until workflows have ended", watch_workflows,
                          [add_names](CLI::App& verb, WatchCommand& command) {
                            command.quiet = true;
                            add_names(verb, command);
                          });
  table.add<ExplainCommand>(
      "explain", "Say why a step ran, or did not", explain_node,
      [](CLI::App& verb, ExplainCommand& command) {
        verb.add_option("workflow", command.workflow, "Workflow, @latest for the newest")
            ->required();
        verb.add_option("node", command.node, "Node: its name, display name or id")->required();
      });
  table.add<CopyCommand>(
      "cp", "Copy artifacts out of a workflow", copy_artifacts,
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

}  // namespace tiphys::cli
