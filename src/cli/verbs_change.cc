#include "cli/verb_table.h"

namespace tiphys::cli {
namespace {

void add_control_verb(VerbTable& table, const std::string& name, const std::string& help,
                      Control::Verb what) {
  table.add<ControlCommand>(
      name, help, control_workflows, [what](CLI::App& verb, ControlCommand& command) {
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

}  // namespace

void add_changing_verbs(VerbTable table) {
  add_control_verb(table, "stop", "Stop workflows; their exit handlers still run",
                   Control::Verb::stop);
  add_control_verb(table, "terminate", "Terminate workflows at once, exit handlers included",
                   Control::Verb::terminate);
  add_control_verb(table, "suspend", "Start nothing more in workflows", Control::Verb::suspend);
  add_control_verb(table, "resume", "Let workflows and their suspended nodes go on",
                   Control::Verb::resume);
  CLI::App& node = table.family("node", "Change nodes of a workflow");
  table.add_below<ControlCommand>(
      node, "set", "Set phase, message or outputs of suspended nodes", control_workflows,
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
  table.add<DeleteCommand>(
      "delete", "Delete workflows, their logs and records", delete_workflows,
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

}  // namespace tiphys::cli
